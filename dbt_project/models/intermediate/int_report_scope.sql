with run_scope as (

    select quarter as run_quarter from {{ source('run', 'run_scope') }}

),

periods as (

    select * from {{ ref('reporting_periods') }}

),

numbered as (

    select
        *,
        row_number() over (order by closes_on) as number
    from periods

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
        periods.year_opens_on = run_period.year_opens_on as is_year_to_date
    from run_scope
    inner join numbered as run_period on run_scope.run_quarter = run_period.quarter
    inner join numbered as periods on periods.number between run_period.number - 12 and run_period.number
    left join delivered_quarters on periods.quarter = delivered_quarters.quarter
    where periods.quarter = run_scope.run_quarter or delivered_quarters.quarter is not null

)

select * from in_scope
