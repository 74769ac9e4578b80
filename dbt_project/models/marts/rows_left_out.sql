-- Delivered rows that no figure of their source looks at, each with its reason: what drops out is counted.
with scope as (

    select * from {{ ref('int_report_scope') }} where is_run_quarter

),

units as (

    select * from {{ ref('int_units') }}

),

{% set yearly = "('cchc_year', 'propaganda', 'training', 'rotation', 'procedure_review', 'digital_government')" %}
{# Of registers a longer period reads the last; the rows of its earlier quarters' are not left out but told anew. #}
{% set flows = ['e_document_counts', 'survey_responses'] %}
{% set registers = [
    ('e_document_counts', 'stg_e_document_counts__counts', 'int_e_documents', 'register_unit_code',
        "when not facts.is_in_window then 'outside_window' when not facts.is_counted then 'months_beside_total'",
        'facts.counted_month'),
    ('staffing_roster', 'stg_staffing_roster__persons', 'int_staff', 'working_unit_code', '', none),
    ('org_units', 'stg_org_units__units', 'int_org_units', none, '', none),
    ('procedure_catalogue', 'stg_procedure_catalogue__procedures', 'int_procedures_listed', none, '', none),
    ('plan_tasks', 'stg_plan_tasks__tasks', 'int_plan_tasks', none,
        "when facts.plan_kind in " ~ yearly ~ " and not facts.is_of_the_year then 'other_plan_year'", 'facts.due_on'),
    ('survey_responses', 'stg_survey_responses__responses', 'int_survey_responses', none,
        "when facts.responded_on not between facts.opens_on and facts.closes_on then 'outside_window'",
        'facts.responded_on'),
] %}

judged as (

    {% for source, staging, fact, speaks_of, not_counted, told in registers %}
    select
        folders.reporting_unit_code as unit_code,
        made_from.report_quarter as quarter,
        '{{ source }}' as source,
        delivered.delivery_id,
        delivered.sheet,
        delivered.row_number,
        case
            {% if speaks_of %}
            when spoken_of.unit_code is null then 'unit_of_another_report'
            when folders.unit_code not in (folders.reporting_unit_code, spoken_of.unit_code)
                then 'unit_of_another_folder'
            {% endif %}
            when facts.delivery_id is null then 'said_by_another_row'
            {{ not_counted }}
        end as reason,
        {{ printed_date(told) if told else 'cast(null as string)' }} as told,
        count(*) over (partition by folders.reporting_unit_code) as rows_delivered
    from {{ ref(staging) }} as delivered
    inner join {{ ref('int_report_deliveries') }} as made_from
        on delivered.delivery_id = made_from.delivery_id {{ '' if source in flows else 'and made_from.is_latest' }}
    inner join scope on made_from.report_quarter = scope.quarter
    inner join units as folders
        on delivered.quarter = folders.quarter and delivered.delivering_unit_code = folders.unit_code
    {% if speaks_of %}
    left join units as spoken_of
        on delivered.quarter = spoken_of.quarter
        and {{ administrative_code('delivered.' ~ speaks_of) }} = spoken_of.unit_code
        and folders.reporting_unit_code = spoken_of.reporting_unit_code
    {% endif %}
    left join {{ ref(fact) }} as facts
        on facts.quarter = scope.quarter
        and facts.unit_code = folders.reporting_unit_code
        and facts.delivery_id = delivered.delivery_id
        and facts.sheet is not distinct from delivered.sheet
        and facts.row_number = delivered.row_number
    {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    judged.unit_code,
    judged.quarter,
    judged.source,
    judged.reason,
    judged.delivery_id,
    deliveries.file_name,
    judged.sheet,
    judged.row_number,
    judged.told,
    judged.rows_delivered
from judged
inner join {{ ref('stg_deliveries__deliveries') }} as deliveries on judged.delivery_id = deliveries.delivery_id
where judged.reason is not null
