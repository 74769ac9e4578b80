{{ config(materialized='table') }}

-- A build may be for some units alone: then the deliveries of other folders are as if they were not there, for every
-- fact takes its rows by these.
with scope as (

    select unit_code from {{ source('run', 'run_scope') }}

),

source as (

    select * from {{ source('ledger', 'deliveries') }}
    where
        unit_code in (select scope.unit_code from scope)
        or exists (select 1 from scope where scope.unit_code is null)

),

renamed as (

    select
        delivery_id,
        source,
        unit_code as delivering_unit_code,
        quarter,
        file_name,
        sha256,
        size_bytes,
        delivered_at,
        version,
        outcome,
        is_current,
        superseded_by,
        -- Rows that came back mended are read and taken in another delivery, and owed here no longer.
        rows_read - rows_mended as rows_read,
        rows_accepted,
        rows_rejected - rows_mended as rows_rejected,
        rows_with_findings,
        columns_mapped,
        unknown_columns,
        reporting_window_from,
        reporting_window_to,
        message_vi,
        delivery_rank
    from source

)

select * from renamed
