with counts as (

    select counts.*
    from {{ ref('int_e_documents') }} as counts
    inner join {{ ref('int_reporting_units') }} as reporting_units
        on counts.unit_code = reporting_units.unit_code
        and counts.quarter = reporting_units.quarter
        and reporting_units.is_run_quarter
    where counts.is_counted

)

select
    unit_code,
    quarter,
    register_unit_code,
    document_kind,
    topic,
    max(unit_level) as unit_level,
    cast(sum(outgoing_total) as bigint) as outgoing_total,
    cast(sum(electronic_only) as bigint) as electronic_only,
    cast(sum(electronic_and_paper) as bigint) as electronic_and_paper,
    cast(sum(paper_only) as bigint) as paper_only,
    cast(sum(incoming_total) as bigint) as incoming_total,
    cast(sum(incoming_electronic) as bigint) as incoming_electronic,
    bool_or(connected) as connected,
    {{ percent('sum(electronic_only) + sum(electronic_and_paper)', 'sum(outgoing_total)') }} as electronic_outgoing_percent
from counts
group by unit_code, quarter, register_unit_code, document_kind, topic
