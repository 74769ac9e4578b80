select
    measures.unit_code,
    measures.quarter,
    measures.measure,
    measures.value,
    measures.reported as is_reported,
    cast(measures.units_counted as integer) as units_counted,
    cast(measures.units_expected as integer) as units_expected
from {{ ref('int_measures') }} as measures
inner join {{ ref('int_reporting_units') }} as reporting_units
    on measures.unit_code = reporting_units.unit_code
    and measures.quarter = reporting_units.quarter
    and reporting_units.is_run_quarter
