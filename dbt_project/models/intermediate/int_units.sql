with run_period as (

    select closes_on as run_closes_on, period_no as run_period_no from {{ ref('int_report_scope') }} where is_run_quarter

),

-- A province has no form of its own here; it reports, and nobody delivers through it.
units as (

    select * from {{ ref('admin_units') }} where level <> 'province'

),

-- As what the units of a level deliver on the run quarter's closing date.
roles as (

    select
        unit_roles.level,
        unit_roles.role
    from {{ ref('unit_roles') }} as unit_roles
    inner join run_period
        on (unit_roles.valid_from is null or unit_roles.valid_from <= run_period.run_closes_on)
        and (unit_roles.valid_to is null or unit_roles.valid_to >= run_period.run_closes_on)

),

-- The units that are in being on the run quarter's closing date.
current_records as (

    select
        units.unit_code,
        units.parent_code,
        roles.role as unit_role
    from units
    inner join run_period
        on (units.valid_from is null or units.valid_from <= run_period.run_closes_on)
        and (units.valid_to is null or units.valid_to >= run_period.run_closes_on)
    left join roles on units.level = roles.level

),

current_units as (

    select
        records.unit_code,
        case
            when records.unit_role = 'reporting_unit' then records.unit_code
            else coalesce(above.unit_code, records.unit_code)
        end as reporting_unit_code
    from current_records as records
    left join current_records as above
        on records.parent_code = above.unit_code
        and above.unit_role = 'reporting_unit'

),

-- What each of them was on earlier days: itself, and those that went into it whole. What was split went nowhere as a
-- whole: nobody can say which part of its figures is whose.
resolved as (

    select
        pasts.past_unit_code as unit_code,
        pasts.unit_level,
        pasts.first_day as valid_from,
        pasts.last_day as valid_to,
        pasts.unit_code as current_unit_code,
        current_units.reporting_unit_code,
        pasts.taken_over_on
    from {{ ref('stg_units__pasts') }} as pasts
    inner join current_units on pasts.unit_code = current_units.unit_code
    where pasts.relation <> 'part'

),

-- A unit that has ended by then, as it was: its own periods are told beside those of the units after it.
ended as (

    select
        units.unit_code,
        units.level as unit_level,
        units.valid_from,
        units.valid_to,
        cast(null as string) as current_unit_code,
        case when unit_roles.role = 'reporting_unit' then units.unit_code else units.parent_code end as reporting_unit_code,
        cast(null as date) as taken_over_on
    from units
    inner join run_period on units.valid_to < run_period.run_closes_on
    inner join {{ ref('unit_roles') }} as unit_roles
        on units.level = unit_roles.level
        and (unit_roles.valid_from is null or unit_roles.valid_from <= units.valid_to)
        and (unit_roles.valid_to is null or unit_roles.valid_to >= units.valid_to)

),

told as (

    select * from resolved
    union all
    select * from ended

),

quarters as (

    select
        periods.quarter,
        periods.period_no,
        periods.closes_on
    from {{ ref('int_periods') }} as periods
    where
        periods.quarter in (select quarter from {{ ref('stg_deliveries__deliveries') }})
        or periods.quarter in (select quarter from {{ ref('int_report_scope') }})

),

by_quarter as (

    select
        quarters.quarter,
        told.unit_code,
        told.unit_level,
        -- One that goes on under another name, or as another part of the same unit, has ended too, and is told once.
        coalesce(max(told.current_unit_code), told.unit_code) as current_unit_code,
        told.reporting_unit_code,
        max(told.taken_over_on) as taken_over_on
    from told
    inner join quarters
        on (told.valid_from is null or told.valid_from <= quarters.closes_on)
        and (told.valid_to is null or told.valid_to >= quarters.closes_on)
    cross join run_period
    where told.reporting_unit_code is not null and quarters.period_no <= run_period.run_period_no
    group by quarters.quarter, told.unit_code, told.unit_level, told.reporting_unit_code

),

-- Only units whose reporting unit delivered something: the country's other thousands cost time and tell nothing.
delivering as (

    select distinct by_quarter.reporting_unit_code
    from {{ ref('stg_deliveries__deliveries') }} as deliveries
    inner join by_quarter
        on deliveries.quarter = by_quarter.quarter and deliveries.delivering_unit_code = by_quarter.unit_code

)

select by_quarter.*
from by_quarter
inner join delivering on by_quarter.reporting_unit_code = delivering.reporting_unit_code
