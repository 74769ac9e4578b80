with latest as (

    {{ latest_in_quarter(ref('stg_plan_tasks__tasks'), 'rows_delivered.plan_kind, rows_delivered.task_code') }}

),

org_units as (

    select * from {{ ref('int_org_units') }} where describes_unit

),

units as (

    select * from {{ ref('int_units') }}

)

select
    latest.reporting_unit_code as unit_code,
    latest.quarter,
    latest.opens_on,
    latest.closes_on,
    latest.year_opens_on,
    latest.delivering_level as unit_level,
    latest.plan_kind,
    latest.plan_document,
    latest.task_code,
    latest.content,
    latest.target_unit_code,
    coalesce(org_units.unit_type, target_units.unit_level) as target_unit_type,
    latest.planned_quantity,
    latest.due_on,
    latest.done_on,
    latest.evidence_document,
    latest.findings_found,
    latest.findings_settled,
    latest.status is null or latest.status <> 'cancelled' as is_planned,
    coalesce(latest.status, '') <> 'cancelled' and latest.done_on <= latest.closes_on as is_done,
    {{ lineage('latest') }}
from latest
left join org_units
    on latest.reporting_unit_code = org_units.unit_code
    and latest.quarter = org_units.quarter
    and latest.target_unit_code = org_units.org_unit_code
left join units as target_units
    on latest.quarter = target_units.quarter and latest.target_unit_code = target_units.unit_code
