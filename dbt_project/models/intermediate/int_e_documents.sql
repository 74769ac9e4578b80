with latest as (

    {{ latest_in_quarter(
        ref('stg_e_document_counts__counts'),
        'rows_delivered.register_unit_code, rows_delivered.counted_month, rows_delivered.document_kind, rows_delivered.topic'
    ) }}

),

units as (

    select * from {{ ref('int_units') }}

)

select
    latest.reporting_unit_code as unit_code,
    latest.quarter,
    latest.opens_on,
    latest.closes_on,
    latest.year_opens_on,
    register_units.unit_level,
    register_units.current_unit_code as register_unit_code,
    latest.counted_month,
    latest.document_kind,
    latest.topic,
    latest.outgoing_total,
    latest.electronic_only,
    latest.electronic_and_paper,
    latest.paper_only,
    latest.incoming_total,
    latest.incoming_electronic,
    latest.connected,
    {{ lineage('latest') }}
from latest
inner join units as register_units
    on latest.quarter = register_units.quarter
    and {{ administrative_code('latest.register_unit_code') }} = register_units.unit_code
    and latest.reporting_unit_code = register_units.reporting_unit_code
