{# "03/KH-UBND ngày 04/01/2023 về ..." and "03/KH-UBND về ... ngày 04/01/2023" have one title. #}
{% set without_date = without_first('plan_tasks.plan_document', ',?\\s+ngày\\s+[0-9./-]+') %}
with tasks as (

    select
        plan_tasks.unit_code,
        plan_tasks.quarter,
        plan_tasks.plan_kind,
        {{ first_match('plan_tasks.plan_document', '[0-9]{1,5}/[\\p{L}0-9]+(-[\\p{L}0-9]+)*') }} as document_number,
        {{ last_date_in('plan_tasks.plan_document') }} as dated,
        {{ first_match(without_date, '[vV]ề [^()]*[^() ;.,]') }} as title
    from {{ ref('int_plan_tasks') }} as plan_tasks
    inner join {{ ref('int_reporting_units') }} as reporting_units
        on plan_tasks.unit_code = reporting_units.unit_code
        and plan_tasks.quarter = reporting_units.quarter
        and reporting_units.is_run_quarter
    where plan_tasks.is_of_the_year and plan_tasks.is_planned and plan_tasks.plan_document is not null

)

select
    unit_code,
    quarter,
    plan_kind,
    document_number,
    dated,
    max(title) as title_vi,
    count(*) as tasks
from tasks
where document_number is not null
group by unit_code, quarter, plan_kind, document_number, dated
