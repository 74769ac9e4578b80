with source as (

    select * from {{ source('raw', 'procedure_catalogue') }}

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
        source.procedure_code,
        source.procedure_name as procedure_name_vi,
        source.field as field_vi,
        source.applies_district,
        source.applies_commune,
        source.valid_from,
        source.ended_on,
        source.interlinked,
        source.internal_process_electronic,
        source.time_limit,
        source.shortened_time_limit,
        source.shortened_on,
        source.components_reduced_on,
        source.online_eligible_level,
        source.online_offered_level,
        source.on_national_portal,
        source.has_fee,
        source.online_payment,
        source.postal_service,
        source.reviewed_on
    from source
    inner join deliveries on source._delivery_id = deliveries.delivery_id

)

select * from renamed
