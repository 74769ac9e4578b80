with source as (

    select * from {{ source('raw', 'decisions') }}

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
        source.decision_id,
        source.subject_kind,
        source.subject,
        source.applies_to,
        source.cases,
        source.unit as decided_unit_code,
        source.quarter as first_quarter,
        source.action,
        source.value as decided_value,
        source.value_text as decided_text,
        source.figures_seen,
        source.reason as reason_vi,
        source.approved_by as approved_by_vi,
        source.document_number,
        source.dated,
        source.holds_until as last_quarter
    from source
    inner join deliveries on source._delivery_id = deliveries.delivery_id

)

select * from renamed
