with computed as (

    {% for fact, measures in [
        ('int_cases', 'measures_cases'),
        ('int_e_documents', 'measures_e_documents'),
        ('int_org_units', 'measures_org_units'),
        ('int_plan_tasks', 'measures_plan_tasks'),
        ('int_procedures', 'measures_procedures'),
        ('int_staff', 'measures_staff'),
        ('int_survey_responses', 'measures_survey'),
    ] %}
    select * from ({{ compile_figure_rows(ref(fact), measures) }}) as {{ measures }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

-- Where the offices did not say what a measure needs it has no value, and no rows stand behind it.
reported as (

    select computed.*
    from computed
    inner join {{ ref('int_measures') }} as measures
        on computed.unit_code = measures.unit_code
        and computed.quarter = measures.quarter
        and computed.figure = measures.measure
        and measures.reported

),

declared as (

    select
        figures.unit_code,
        figures.quarter,
        figures.indicator_code as figure,
        figures.delivery_id,
        figures.sheet,
        figures.declared_value as amount_each,
        cast(null as string) as decision_id,
        cast(figures.row_number as string) as row_numbers,
        1 as row_count
    from {{ ref('int_declared_figures') }} as figures
    inner join {{ ref('int_reporting_units') }} as reporting_units
        on figures.unit_code = reporting_units.unit_code
        and figures.quarter = reporting_units.quarter
        and reporting_units.is_run_quarter
    where figures.declared_value is not null or figures.declared_text is not null

),

all_figures as (

    select * from reported
    union all
    select * from declared

)

select
    all_figures.unit_code,
    all_figures.quarter,
    all_figures.figure,
    all_figures.delivery_id,
    {{ neutral_sheet_name('all_figures.sheet', 'sheets.sheet_no') }} as sheet,
    cast(all_figures.amount_each as decimal(18, 4)) as amount_each,
    all_figures.decision_id,
    all_figures.row_numbers,
    cast(all_figures.row_count as bigint) as row_count,
    cast(all_figures.amount_each * all_figures.row_count as decimal(18, 4)) as amount,
    cast(null as string) as held_back
from all_figures
left join {{ ref('int_sheets') }} as sheets
    on all_figures.delivery_id = sheets.delivery_id
    and all_figures.sheet = sheets.sheet
