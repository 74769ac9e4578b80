with source as (

    select * from {{ source('raw', 'one_stop_cases') }}

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
        source.case_code,
        source.procedure_code,
        source.procedure_name as delivered_procedure_name_vi,
        source.field as delivered_field_vi,
        source.receiving_unit as receiving_unit_code,
        source.received_at,
        source.due_at,
        source.finished_at,
        source.returned_at,
        source.status,
        source.channel,
        source.return_channel,
        source.suspended_days,
        source.extended_to,
        source.late_reason as late_reason_vi
    from source
    inner join deliveries on source._delivery_id = deliveries.delivery_id

)

select * from renamed
