with run_period as (

    select closes_on as run_closes_on, period_no as run_period_no from {{ ref('int_report_scope') }} where is_run_quarter

),

units as (

    select * from {{ ref('admin_units') }} where level in ('district', 'commune')

),

-- Every unit record as it stands on the run quarter's closing date: itself, or the commune that took it over.
current_records as (

    select
        units.unit_code,
        units.level as unit_level,
        units.valid_from,
        units.valid_to,
        successors.new_unit_code,
        units.valid_to is null or units.valid_to >= run_period.run_closes_on as is_in_being,
        units.parent_code
    from units
    cross join run_period
    left join {{ ref('admin_unit_successors') }} as successors
        on units.unit_code = successors.old_unit_code
        and units.valid_to + 1 = successors.effective_on
        and units.level = 'commune'
        and units.valid_to < run_period.run_closes_on
        and successors.relation in ('whole', 'part-main')
    where units.valid_from is null or units.valid_from <= run_period.run_closes_on

),

resolved as (

    select
        records.unit_code,
        records.unit_level,
        records.valid_from,
        records.valid_to,
        case when records.is_in_being then records.unit_code else records.new_unit_code end as current_unit_code,
        case
            when records.is_in_being and records.unit_level = 'district' then records.unit_code
            when records.is_in_being then coalesce(districts.unit_code, records.unit_code)
            else records.new_unit_code
        end as reporting_unit_code
    from current_records as records
    left join current_records as districts
        on records.parent_code = districts.unit_code
        and districts.unit_level = 'district'
        and districts.is_in_being

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
        resolved.unit_code,
        resolved.unit_level,
        resolved.current_unit_code,
        resolved.reporting_unit_code
    from resolved
    inner join quarters
        on (resolved.valid_from is null or resolved.valid_from <= quarters.closes_on)
        and (resolved.valid_to is null or resolved.valid_to >= quarters.closes_on)
    cross join run_period
    where resolved.reporting_unit_code is not null and quarters.period_no <= run_period.run_period_no

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
