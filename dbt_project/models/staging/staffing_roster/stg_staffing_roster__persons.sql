with source as (

    select * from {{ source('raw', 'staffing_roster') }}

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
        source.person_key,
        source.person_name_key,
        source.unit as working_unit_code,
        source.category,
        source.salary_source,
        source.position as position_vi,
        source.leadership,
        source.rank_code,
        source.recruited_on,
        source.recruitment_mode,
        source.appointed_on,
        source.appointment_mode,
        source.left_on,
        source.leaving_reason,
        source.disciplined_on,
        source.discipline_level,
        source.training_course,
        source.training_ended_on,
        source.rotated_on,
        source.digital_certificate,
        source.official_email,
        source.it_officer
    from source
    inner join deliveries on source._delivery_id = deliveries.delivery_id

)

select * from renamed
