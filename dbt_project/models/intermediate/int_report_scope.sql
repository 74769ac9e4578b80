with run_scope as (

    select distinct quarter as run_quarter from {{ source('run', 'run_scope') }}

),

periods as (

    select * from {{ ref('int_periods') }}

),

-- Periods of one kind follow each other; a half-year is never compared with a quarter.
numbered as (

    select
        *,
        row_number() over (partition by calendar, kind order by period_no) as number
    from periods

),

-- By whomever: which periods are told does not follow from whose figures are made now.
delivered_quarters as (

    select distinct quarter from {{ source('ledger', 'deliveries') }} where is_current

),

-- A longer period has deliveries where its own folders have, or those of each of its quarters.
delivered_parts as (

    select
        wholes.quarter,
        bool_and(delivered_quarters.quarter is not null) as is_delivered
    from periods as wholes
    inner join periods as parts on {{ is_part_of('parts.quarter', 'wholes.made_of') }}
    left join delivered_quarters on parts.quarter = delivered_quarters.quarter
    group by wholes.quarter

),

in_scope as (

    select
        run_scope.run_quarter,
        periods.quarter,
        periods.period_no,
        periods.made_of,
        periods.opens_on,
        periods.closes_on,
        periods.year_opens_on,
        periods.quarter = run_scope.run_quarter as is_run_quarter,
        coalesce(periods.quarter = run_period.previous_quarter and periods.kind = run_period.kind, false)
            as is_previous_quarter,
        coalesce(periods.quarter = run_period.same_quarter_last_year and periods.kind = run_period.kind, false)
            as is_same_quarter_last_year,
        periods.year_opens_on = run_period.year_opens_on and periods.kind = run_period.kind as is_year_to_date,
        {{ is_part_of('periods.quarter', 'run_period.made_of') }} as is_part
    from run_scope
    inner join numbered as run_period on run_scope.run_quarter = run_period.quarter
    inner join numbered as periods
        on (
            periods.calendar = run_period.calendar
            and periods.kind = run_period.kind
            and periods.number between run_period.number - 12 and run_period.number
        )
        or {{ is_part_of('periods.quarter', 'run_period.made_of') }}
    left join delivered_quarters on periods.quarter = delivered_quarters.quarter
    left join delivered_parts on periods.quarter = delivered_parts.quarter
    where
        periods.quarter = run_scope.run_quarter
        or delivered_quarters.quarter is not null
        or coalesce(delivered_parts.is_delivered, false)
        or {{ is_part_of('periods.quarter', 'run_period.made_of') }}

)

select * from in_scope
