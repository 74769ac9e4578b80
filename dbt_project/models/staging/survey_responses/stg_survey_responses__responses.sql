with source as (

    select * from {{ source('raw', 'survey_responses') }}

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
        source.form_number,
        source.channel,
        source.responded_on,
        source.attitude,
        source.time as timeliness,
        source.quality,
        source.overall as overall_answer
    from source
    inner join deliveries on source._delivery_id = deliveries.delivery_id

)

select * from renamed
