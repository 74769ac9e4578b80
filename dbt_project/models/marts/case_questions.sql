-- What is strange about rows of cases and contradicts nothing: somebody who knows the cases is asked, and no figure
-- changes. One row a case and kind, each with the place of its row; how much is strange is for the rules to say. Of a
-- longer period nothing: its quarters have asked.
with run as (

    select
        scope.quarter,
        scope.period_no,
        scope.opens_on,
        scope.closes_on,
        min(days.day) as last_working_day
    from {{ ref('int_report_scope') }} as scope
    inner join {{ ref('int_working_days') }} as closing on scope.closes_on = closing.day
    inner join {{ ref('int_working_days') }} as days on closing.working_day_number = days.working_day_number
    where scope.is_run_quarter and scope.made_of = ''
    group by scope.quarter, scope.period_no, scope.opens_on, scope.closes_on

),

versions as (

    select versions.*
    from {{ ref('int_case_versions') }} as versions
    inner join {{ ref('int_reporting_units') }} as reporting_units
        on versions.unit_code = reporting_units.unit_code and reporting_units.is_run_quarter

),

-- As last known. No folder of a quarter after the run's is read, so what nothing supersedes is known today.
known as (

    select versions.*
    from versions
    where versions.superseded_from_no is null

),

-- Numbers are given in order, from 1 on each day, by each agency's software (circular 01/2018, article 19).
numbered as (

    select
        known.*,
        try_cast(split_part(known.case_key, '-', 3) as bigint) as serial
    from known
    cross join run
    where known.case_key like '%-%' and known.received_on between run.opens_on and run.closes_on

),

in_order as (

    select
        *,
        serial - coalesce(lag(serial) over (
            partition by unit_code, split_part(case_key, '-', 1), split_part(case_key, '-', 2) order by serial
        ), 0) - 1 as missing
    from numbered
    where serial is not null

),

ended as (

    select known.*
    from known
    cross join run
    where known.status in ('finished', 'returned') and known.ended_on between run.opens_on and run.closes_on

),

-- An ending at midnight is one of which only the day was told.
batches as (

    select
        unit_code,
        receiving_unit_code,
        date_trunc('minute', ended_at) as ended_in,
        count(*) as cases
    from ended
    where ended_at <> cast(ended_on as timestamp)
    group by unit_code, receiving_unit_code, date_trunc('minute', ended_at)
    having count(*) > 1

),

by_day as (

    select
        unit_code,
        receiving_unit_code,
        ended_on,
        count(*) as cases
    from ended
    group by unit_code, receiving_unit_code, ended_on

),

-- What a unit ends on a usual day, and what it ended from the last working day before closing on.
at_closing as (

    select
        by_day.unit_code,
        by_day.receiving_unit_code,
        coalesce(sum(case when by_day.ended_on >= run.last_working_day then by_day.cases end), 0) as cases,
        cast(ceiling(median(case when by_day.ended_on < run.last_working_day then by_day.cases end)) as bigint) as usual
    from by_day
    cross join run
    group by by_day.unit_code, by_day.receiving_unit_code

),

found as (

    select
        'serials_missing' as kind,
        *,
        cast(missing as bigint) as cases,
        cast(null as bigint) as usual,
        received_on as day,
        cast(null as date) as earlier_day
    from in_order
    where missing > 0

    union all by name

    select
        'ended_together' as kind,
        ended.*,
        batches.cases,
        cast(null as bigint) as usual,
        ended.ended_on as day,
        cast(null as date) as earlier_day
    from ended
    inner join batches
        on ended.unit_code = batches.unit_code
        and ended.receiving_unit_code = batches.receiving_unit_code
        and date_trunc('minute', ended.ended_at) = batches.ended_in

    union all by name

    select
        'ended_at_closing' as kind,
        ended.*,
        cast(at_closing.cases as bigint) as cases,
        at_closing.usual,
        ended.ended_on as day,
        cast(null as date) as earlier_day
    from ended
    cross join run
    inner join at_closing
        on ended.unit_code = at_closing.unit_code
        and ended.receiving_unit_code = at_closing.receiving_unit_code
        and ended.ended_on >= run.last_working_day
    where at_closing.cases > at_closing.usual

    union all by name

    -- The appointment that an earlier folder told had passed by its closing, the case was open, and the appointment now
    -- told is later: late then, on time now.
    select
        'due_day_moved' as kind,
        known.*,
        cast(null as bigint) as cases,
        cast(null as bigint) as usual,
        known.due_on as day,
        earlier.due_on as earlier_day
    from versions as earlier
    inner join run on earlier.superseded_from_no = run.period_no and earlier.delivered_no < run.period_no
    inner join {{ ref('int_periods') }} as periods on earlier.delivered_quarter = periods.quarter
    inner join known
        on earlier.unit_code = known.unit_code
        and earlier.case_key = known.case_key
        and known.delivered_quarter = run.quarter
    where
        earlier.due_on <= periods.closes_on
        and (earlier.left_on is null or earlier.left_on > periods.closes_on)
        and known.due_on > earlier.due_on

)

select
    found.unit_code,
    run.quarter,
    found.kind,
    found.case_code,
    found.delivery_id,
    found.sheet,
    found.row_number,
    deliveries.file_name,
    {{ neutral_sheet_name('found.sheet', 'sheets.sheet_no') }} as neutral_sheet,
    found.receiving_unit_code,
    found.day,
    found.earlier_day,
    found.cases,
    found.usual
from found
cross join run
inner join {{ ref('stg_deliveries__deliveries') }} as deliveries on found.delivery_id = deliveries.delivery_id
left join {{ ref('int_sheets') }} as sheets
    on found.delivery_id = sheets.delivery_id and found.sheet is not distinct from sheets.sheet
