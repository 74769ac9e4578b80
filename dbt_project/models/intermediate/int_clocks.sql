-- The windows that cases are counted in: the reporting window, and the last calendar quarter that had ended by closing
-- (the files up to closing cannot tell a calendar quarter that goes on after it).
with reporting_units as (

    select * from {{ ref('int_reporting_units') }} where is_run_quarter

),

periods as (

    select * from {{ ref('reporting_periods') }}

),

-- Whole time in its smallest pieces: a longer period is covered where its quarters are.
quarters as (

    select * from periods where kind in ('quarter', 'closing')

),

clocks as (

    select
        'reporting_window' as clock,
        reporting_units.unit_code,
        periods.quarter,
        periods.quarter as window_quarter,
        reporting_units.opens_on,
        reporting_units.closes_on
    from reporting_units
    inner join periods on reporting_units.quarter = periods.quarter

    union all

    select
        'calendar_quarter' as clock,
        reporting_units.unit_code,
        periods.quarter,
        periods.calendar_quarter as window_quarter,
        periods.calendar_opens_on as opens_on,
        periods.calendar_closes_on as closes_on
    from reporting_units
    inner join periods on reporting_units.quarter = periods.quarter

),

-- Reporting quarters in a window, and whether every unit that reports sent its cases for them.
covered as (

    select
        clocks.clock,
        clocks.unit_code,
        count(*) as quarters_in_window,
        count(*) filter (where coverage.units_counted = coverage.units_expected) as quarters_covered
    from clocks
    inner join periods as reported on clocks.quarter = reported.quarter
    inner join quarters
        on quarters.calendar = reported.calendar
        and (quarters.kind = 'quarter' or quarters.quarter = reported.quarter)
        and (reported.kind <> 'closing' or quarters.quarter = reported.quarter)
        and quarters.opens_on <= clocks.closes_on
        and quarters.closes_on >= clocks.opens_on
    left join {{ ref('int_coverage') }} as coverage
        on clocks.unit_code = coverage.unit_code
        and quarters.quarter = coverage.quarter
        and coverage.source = 'one_stop_cases'
        and coverage.measure_level = 'all'
    group by clocks.clock, clocks.unit_code

)

select
    clocks.clock,
    clocks.unit_code,
    clocks.quarter,
    clocks.window_quarter,
    clocks.opens_on,
    clocks.closes_on,
    covered.quarters_covered = covered.quarters_in_window as is_complete
from clocks
inner join covered on clocks.clock = covered.clock and clocks.unit_code = covered.unit_code
