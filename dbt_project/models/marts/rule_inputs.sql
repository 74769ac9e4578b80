with scope as (

    select * from {{ ref('int_report_scope') }} where is_run_quarter

),

rows_of_the_form as (

    select
        indicators.unit_code,
        indicators.quarter,
        indicators.indicator_code as name,
        coalesce(indicators.value, indicators.declared_value, indicators.computed_value) as value
    from {{ ref('int_indicator_values') }} as indicators
    inner join scope on indicators.quarter = scope.quarter

),

measures as (

    select
        measures.unit_code,
        measures.quarter,
        measures.measure as name,
        cast(measures.value as decimal(18, 4)) as value
    from {{ ref('int_measures') }} as measures
    inner join scope on measures.quarter = scope.quarter

),

auxiliary as (

    select
        declared.unit_code,
        declared.quarter,
        declared.indicator_code as name,
        declared.declared_value as value
    from {{ ref('int_declared_figures') }} as declared
    inner join scope on declared.quarter = scope.quarter
    inner join {{ ref('int_reporting_units') }} as reporting_units
        on declared.unit_code = reporting_units.unit_code and declared.quarter = reporting_units.quarter
    where declared.indicator_code like 'AUX.%'

),

all_inputs as (

    select * from rows_of_the_form
    union all
    select * from measures
    union all
    select * from auxiliary

)

select
    unit_code,
    quarter,
    name,
    cast(value as decimal(18, 4)) as value
from all_inputs
