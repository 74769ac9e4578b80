{#
    The current rows of a source as they were delivered: where each stands, then the columns that the caller lists.
    What is computed from them is for the next model; `make contracts` writes the columns' words from the contract.
#}
{% macro delivered_rows(source_name) %}
with source as (

    select * from {{ source('raw', source_name) }}

),

deliveries as (

    select * from {{ ref('stg_deliveries__deliveries') }}
    where is_current

)

select
    deliveries.delivery_id,
    deliveries.delivery_rank,
    deliveries.delivering_unit_code,
    deliveries.quarter,
    source._sheet as sheet,
    source._row as row_number,
{{ caller() }}from source
inner join deliveries on source._delivery_id = deliveries.delivery_id
{% endmacro %}
