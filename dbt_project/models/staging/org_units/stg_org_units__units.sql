with source as (

    select * from {{ source('raw', 'org_units') }}

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
        source.unit_code as org_unit_code,
        source.name as name_vi,
        source.short_names as short_names_vi,
        source.unit_type,
        source.parent_code as parent_org_unit_code,
        source.autonomy_group,
        source.applies_autonomy,
        source.assigned_posts,
        source.valid_from,
        source.valid_to
    from source
    inner join deliveries on source._delivery_id = deliveries.delivery_id

)

select * from renamed
