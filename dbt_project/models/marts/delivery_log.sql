with deliveries as (

    select * from {{ ref('stg_deliveries__deliveries') }}

),

units as (

    select * from {{ ref('int_units') }}

),

scope as (

    select * from {{ ref('int_report_scope') }} where is_run_quarter

)

select
    units.reporting_unit_code as unit_code,
    deliveries.quarter,
    deliveries.delivering_unit_code,
    deliveries.source,
    deliveries.delivered_at,
    {{ neutral_file_name('deliveries.source', 'deliveries.quarter', 'deliveries.delivering_unit_code', 'deliveries.delivery_id') }} as file_name,
    deliveries.delivery_id,
    deliveries.sha256,
    deliveries.size_bytes,
    deliveries.version,
    deliveries.outcome,
    deliveries.is_current,
    deliveries.superseded_by,
    coalesce(deliveries.rows_read, 0) as rows_read,
    coalesce(deliveries.rows_accepted, 0) as rows_accepted,
    coalesce(deliveries.rows_rejected, 0) as rows_rejected,
    coalesce(deliveries.rows_with_findings, 0) as rows_with_findings,
    -- Never the intake's own words: they quote headings, sheets and cells.
    case deliveries.outcome
        when 'refused' then 'Tệp không nhận được; lý do đã báo cho đơn vị gửi.'
        when 'nothing_to_report' then 'Đơn vị báo không phát sinh.'
    end as message_vi
from deliveries
inner join scope on deliveries.quarter = scope.quarter
inner join units
    on deliveries.quarter = units.quarter and deliveries.delivering_unit_code = units.unit_code
