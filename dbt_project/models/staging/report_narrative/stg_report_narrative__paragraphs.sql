with source as (

    select * from {{ source('raw', 'report_narrative') }}

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
        deliveries.file_name,
        source._sheet as sheet,
        source._row as row_number,
        source.section,
        source.paragraph_no as written_no,
        source.text as text_vi
    from source
    inner join deliveries on source._delivery_id = deliveries.delivery_id

)

select * from renamed
