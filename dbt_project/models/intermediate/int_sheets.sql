with sheets as (

    {% for model in [
        'stg_declared_returns__figures',
        'stg_e_document_counts__counts',
        'stg_one_stop_cases__cases',
        'stg_org_units__units',
        'stg_plan_tasks__tasks',
        'stg_procedure_catalogue__procedures',
        'stg_staffing_roster__persons',
        'stg_survey_responses__responses',
    ] %}
    select distinct delivery_id, sheet from {{ ref(model) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select
    delivery_id,
    sheet,
    row_number() over (partition by delivery_id order by sheet) as sheet_no
from sheets
