with source as (

    select * from {{ source('raw', 'plan_tasks') }}

),

deliveries as (

    select * from {{ ref('stg_deliveries__deliveries') }}
    where is_current

),

renamed as (

    select
        deliveries.delivery_id,
        deliveries.delivery_rank,
        deliveries.delivering_unit_code,
        deliveries.quarter,
        source._sheet as sheet,
        source._row as row_number,
        source.plan as plan_kind,
        source.plan_document,
        source.task_code,
        source.content,
        source.unit_in_charge as unit_in_charge_code,
        source.target_unit as target_unit_code,
        source.planned_quantity,
        source.due_on,
        source.done_on,
        source.evidence_document,
        source.findings_found,
        source.findings_settled,
        source.status
    from source
    inner join deliveries on source._delivery_id = deliveries.delivery_id

)

select * from renamed
