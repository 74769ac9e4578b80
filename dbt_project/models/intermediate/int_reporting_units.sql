with units as (

    select * from {{ ref('int_units') }}

),

scope as (

    select * from {{ ref('int_report_scope') }}

),

deliveries as (

    select * from {{ ref('stg_deliveries__deliveries') }}

),

-- The units as they are on the run quarter's closing date: the form is made for these.
current_units as (

    select
        units.reporting_unit_code,
        max(case when units.unit_code = units.reporting_unit_code then units.unit_level end) as unit_level,
        count(*) filter (where units.unit_level = 'commune') as communes_expected,
        count(*) filter (where units.unit_level = 'district') as districts_expected
    from units
    inner join scope on units.quarter = scope.quarter and scope.is_run_quarter
    group by units.reporting_unit_code

),

-- Units that have ended, in their own periods: of what came before the units after them the series tell both sides.
ended_units as (

    select
        units.reporting_unit_code,
        units.quarter,
        max(case when units.unit_code = units.reporting_unit_code then units.unit_level end) as unit_level,
        count(*) filter (where units.unit_level = 'commune') as communes_expected,
        count(*) filter (where units.unit_level = 'district') as districts_expected
    from units
    left join current_units on units.reporting_unit_code = current_units.reporting_unit_code
    where current_units.reporting_unit_code is null
    group by units.reporting_unit_code, units.quarter

),

-- A unit reports a period when anything of it lies in the period's folders or in those of the quarters it is made of,
-- were it only a refused file.
delivering as (

    select distinct units.reporting_unit_code
    from deliveries
    inner join scope on deliveries.quarter = scope.quarter and (scope.is_run_quarter or scope.is_part)
    inner join units
        on deliveries.quarter = units.quarter and deliveries.delivering_unit_code = units.unit_code

)

select
    current_units.reporting_unit_code as unit_code,
    scope.quarter,
    windows.opens_on,
    windows.closes_on,
    windows.year_opens_on,
    scope.is_run_quarter,
    current_units.unit_level,
    current_units.communes_expected,
    current_units.districts_expected
from current_units
inner join delivering on current_units.reporting_unit_code = delivering.reporting_unit_code
cross join scope
inner join {{ ref('int_unit_windows') }} as windows
    on current_units.reporting_unit_code = windows.unit_code and scope.quarter = windows.quarter

union all

select
    ended_units.reporting_unit_code as unit_code,
    scope.quarter,
    scope.opens_on,
    scope.closes_on,
    scope.year_opens_on,
    scope.is_run_quarter,
    ended_units.unit_level,
    ended_units.communes_expected,
    ended_units.districts_expected
from ended_units
inner join scope on ended_units.quarter = scope.quarter
where not scope.is_run_quarter
