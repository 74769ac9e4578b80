with run_scope as (

    select quarter as run_quarter from {{ source('run', 'run_scope') }}

),

periods as (

    select * from {{ ref('reporting_periods') }}

),

delivered_quarters as (

    select distinct quarter from {{ ref('stg_deliveries__deliveries') }} where is_current

),

in_scope as (

    select
        run_scope.run_quarter,
        periods.quarter,
        periods.opens_on,
        periods.closes_on,
        periods.year_opens_on,
        periods.quarter = run_scope.run_quarter as is_run_quarter,
        periods.quarter = run_period.previous_quarter as is_previous_quarter,
        periods.quarter = run_period.same_quarter_last_year as is_same_quarter_last_year,
        periods.year_opens_on = run_period.year_opens_on
        and periods.closes_on <= run_period.closes_on as is_year_to_date
    from run_scope
    inner join periods as run_period on run_scope.run_quarter = run_period.quarter
    cross join periods
    left join delivered_quarters on periods.quarter = delivered_quarters.quarter
    where
        periods.quarter = run_scope.run_quarter
        or (
            delivered_quarters.quarter is not null
            and (
                periods.quarter in (run_period.previous_quarter, run_period.same_quarter_last_year)
                or (
                    periods.year_opens_on = run_period.year_opens_on
                    and periods.closes_on <= run_period.closes_on
                )
            )
        )

)

select * from in_scope
