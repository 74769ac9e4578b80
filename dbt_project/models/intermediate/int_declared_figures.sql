with latest as (

    {{ latest_in_quarter(ref('stg_declared_returns__figures'), 'rows_delivered.indicator_code') }}

)

select
    latest.reporting_unit_code as unit_code,
    latest.report_quarter as quarter,
    latest.indicator_code,
    latest.declared_value,
    latest.declared_text,
    latest.note_vi,
    latest.evidence_document,
    latest.prepared_by,
    latest.approved_on,
    {{ lineage('latest') }}
from latest
