with source as (

    select * from {{ source('raw', 'declared_returns') }}

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
        source.indicator_code,
        source.indicator_name as printed_name_vi,
        source.value as declared_value,
        source.value_text as declared_text,
        source.note as note_vi,
        source.evidence_document,
        source.prepared_by,
        source.approved_on
    from source
    inner join deliveries on source._delivery_id = deliveries.delivery_id

)

select * from renamed
