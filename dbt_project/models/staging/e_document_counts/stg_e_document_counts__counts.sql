with source as (

    select * from {{ source('raw', 'e_document_counts') }}

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
        source.unit as register_unit_code,
        source.month as counted_month,
        source.document_kind,
        source.topic,
        source.outgoing_total,
        source.electronic_only,
        source.electronic_and_paper,
        source.paper_only,
        source.incoming_total,
        source.incoming_electronic,
        source.connected
    from source
    inner join deliveries on source._delivery_id = deliveries.delivery_id

)

select * from renamed
