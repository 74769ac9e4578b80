-- What the rows about cases contradict, or leave open, and only somebody who knows the cases can settle: judged by gate
-- 2, one row a case and kind, each with the place of its row.
{% set tolerance_days = 15 %}
with periods as (

    select * from {{ ref('int_periods') }}

),

run as (

    select
        scope.quarter,
        scope.period_no,
        scope.made_of <> '' as is_longer,
        scope.opens_on,
        scope.closes_on,
        periods.calendar,
        previous.period_no as previous_no,
        previous.closes_on as previous_closes_on
    from {{ ref('int_report_scope') }} as scope
    inner join periods on scope.quarter = periods.quarter
    left join periods as previous on periods.previous_quarter = previous.quarter
    where scope.is_run_quarter

),

versions as (

    select versions.*
    from {{ ref('int_case_versions') }} as versions
    inner join {{ ref('int_reporting_units') }} as reporting_units
        on versions.unit_code = reporting_units.unit_code and reporting_units.is_run_quarter

),

-- As last known. No folder of a quarter after the run's is read, so what nothing supersedes is known today.
known as (

    select * from versions where superseded_from_no is null

),

stock as (

    select * from {{ ref('int_cases') }}
    where quarter in (select quarter from run) and is_in_stock

),

-- The period before, by unit: one that began within the period follows on what closed on the eve of it.
followed as (

    select
        windows.unit_code,
        windows.opens_on,
        coalesce(max(eve.period_no), max(run.previous_no)) as previous_no,
        coalesce(max(eve.closes_on), max(run.previous_closes_on)) as previous_closes_on
    from {{ ref('int_unit_windows') }} as windows
    inner join run on windows.quarter = run.quarter
    left join periods as eve
        on windows.begins_within
        and eve.kind = 'closing'
        and {{ days_after('eve.closes_on', 1) }} = windows.opens_on
    group by windows.unit_code, windows.opens_on

),

-- Open at the last closing, by what the folders up to then said. Of a longer period its first quarter asks that.
open_before as (

    select versions.*
    from versions
    cross join run
    inner join followed
        on versions.unit_code = followed.unit_code
        and versions.delivered_no <= followed.previous_no
        and (versions.superseded_from_no is null or versions.superseded_from_no > followed.previous_no)
        and versions.received_on <= followed.previous_closes_on
        and (versions.left_on is null or versions.left_on > followed.previous_closes_on)
        -- What came with another unit since is asked of that one's last report: int_case_handover.
        and coalesce(versions.taken_over_on <= followed.opens_on, true)
    where versions.status not in ('registered', 'not_received') and not run.is_longer

),

-- Units that delivered for an earlier quarter: of others nobody can say what was open at the last closing.
reported_before as (

    select versions.unit_code, versions.receiving_unit_code
    from versions
    inner join run on versions.delivered_no < run.period_no and not run.is_longer
    group by versions.unit_code, versions.receiving_unit_code

    union

    select units.reporting_unit_code as unit_code, units.current_unit_code as receiving_unit_code
    from {{ ref('stg_deliveries__deliveries') }} as deliveries
    inner join {{ ref('int_units') }} as units
        on deliveries.quarter = units.quarter and deliveries.delivering_unit_code = units.unit_code
    inner join periods on deliveries.quarter = periods.quarter
    inner join run on periods.period_no < run.period_no and not run.is_longer
    where deliveries.source = 'one_stop_cases' and deliveries.is_current and deliveries.outcome <> 'refused'

),

carried_over as (

    select stock.*
    from stock
    inner join reported_before
        on stock.unit_code = reported_before.unit_code
        and stock.receiving_unit_code = reported_before.receiving_unit_code
    where stock.is_carried_over

),

totals as (

    select
        coalesce(now.unit_code, before.unit_code) as unit_code,
        coalesce(now.cases, 0) as carried_over,
        coalesce(before.cases, 0) as open_before
    from (select unit_code, count(*) as cases from carried_over group by unit_code) as now
    full outer join (select unit_code, count(*) as cases from open_before group by unit_code) as before
        on now.unit_code = before.unit_code

),

suspects as (

    select {{ row_hash('unit_code, case_key') }} as case_hash
    from versions
    group by case_hash
    having count(*) > 1

),

repeated as (

    select
        *,
        {{ row_hash('status, ended_on, due_on, channel, return_channel, returned_on') }} as content
    from versions
    where {{ row_hash('unit_code, case_key') }} in (select case_hash from suspects)

),

compared as (

    select
        *,
        min(content) over (partition by unit_code, case_key, delivered_quarter)
        = max(content) over (partition by unit_code, case_key, delivered_quarter) as agrees_in_quarter
    from repeated

),

-- One canonical code, several spellings: counted as one case, for certain where the rest agrees.
spelled as (

    select
        unit_code,
        case_key,
        min(case_code) as least_code,
        max(case_code) as greatest_code,
        min(received_on) = max(received_on)
        and min(receiving_unit_code) = max(receiving_unit_code)
        and min(coalesce(procedure_code, '')) = max(coalesce(procedure_code, ''))
        and bool_and(agrees_in_quarter) as agrees
    from compared
    group by unit_code, case_key
    having min(case_code) <> max(case_code)

),

-- Different agencies in the code, all else the same: counted as two cases.
alike_hashes as (

    select {{ row_hash("unit_code, receiving_unit_code, procedure_code, received_at, split_part(case_key, '-', 2), split_part(case_key, '-', 3)") }} as alike_hash
    from known
    where case_key like '%-%'
    group by alike_hash
    having count(*) > 1

),

alike as (

    select
        *,
        min(case_key) over alike_rows as least_key,
        max(case_key) over alike_rows as greatest_key,
        min(case_code) over alike_rows as least_code,
        max(case_code) over alike_rows as greatest_code
    from known
    where
        case_key like '%-%'
        and {{ row_hash("unit_code, receiving_unit_code, procedure_code, received_at, split_part(case_key, '-', 2), split_part(case_key, '-', 3)") }}
        in (select alike_hash from alike_hashes)
    window alike_rows as (
        partition by
            unit_code,
            receiving_unit_code,
            procedure_code,
            received_at,
            split_part(case_key, '-', 2),
            split_part(case_key, '-', 3)
    )

),

found as (

    {{ case_finding("'no_appointment'", 'stock', 'left_on') }}
    from stock
    where timeliness = 'unknown'

    union all

    {{ case_finding("'ended_after_closing'", 'known', 'known.ended_on') }}
    from known
    inner join run
        on known.delivered_quarter = run.quarter
        and known.ended_on > {{ days_after('run.closes_on', tolerance_days) }}
    where known.status in ('finished', 'returned')

    union all

    {{ case_finding("'lodged_but_ended'", 'known', 'known.ended_on') }}
    from known
    inner join run on known.delivered_quarter = run.quarter and known.ended_on between run.opens_on and run.closes_on
    where known.status = 'registered'

    union all

    {{ case_finding("'postal_return_without_day'", 'known', 'known.ended_on') }}
    from known
    inner join run on known.delivered_quarter = run.quarter and known.ended_on between run.opens_on and run.closes_on
    where known.status = 'returned' and known.return_channel = 'postal' and known.returned_on is null

    union all

    {{ case_finding("'carried_over_unknown'", 'carried_over', 'carried_over.left_on') }}
    from carried_over
    left join open_before
        on carried_over.unit_code = open_before.unit_code and carried_over.case_key = open_before.case_key
    left join {{ ref('int_case_handover') }} as handed_over
        on carried_over.unit_code = handed_over.unit_code and carried_over.case_key = handed_over.case_key
    where open_before.case_key is null and handed_over.case_key is null

    union all

    {{ case_finding("'handover_' || handed_over.kind", 'handed_over', 'handed_over.left_on') }}
    from {{ ref('int_case_handover') }} as handed_over
    where handed_over.kind <> 'carried_over'

    union all

    {{ case_finding("'ended_unreported'", 'known', 'known.left_on') }}
    from known
    inner join run
        on known.first_delivered_no = run.period_no
    inner join followed
        on known.unit_code = followed.unit_code
        and known.received_on < followed.opens_on
        and known.left_on < followed.opens_on
    inner join reported_before
        on known.unit_code = reported_before.unit_code
        and known.receiving_unit_code = reported_before.receiving_unit_code
    where known.status not in ('registered', 'not_received')

    union all

    -- The row that says so now, else (a later row about a unit elsewhere) the one that said it was open.
    {{ case_finding("'open_then_gone'", 'case when known.case_key is null then open_before.{} else known.{} end', 'known.left_on') }}
    from open_before
    left join known on open_before.unit_code = known.unit_code and open_before.case_key = known.case_key
    left join stock
        on open_before.unit_code = stock.unit_code
        and open_before.case_key = stock.case_key
        and stock.is_carried_over
    where stock.case_key is null

    union all

    {{ case_finding(
        "case when spelled.agrees then 'spelling_merged' else 'spelling_doubt' end",
        'versions',
        'versions.left_on',
        'case when versions.case_code = spelled.least_code then spelled.greatest_code else spelled.least_code end',
    ) }}
    from versions
    inner join spelled on versions.unit_code = spelled.unit_code and versions.case_key = spelled.case_key
    inner join run on versions.delivered_quarter = run.quarter

    union all

    {{ case_finding(
        "'same_case_other_agency'",
        'alike',
        'alike.left_on',
        'case when alike.case_code = alike.least_code then alike.greatest_code else alike.least_code end',
    ) }}
    from alike
    inner join run on alike.delivered_quarter = run.quarter
    where alike.least_key <> alike.greatest_key

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
    found.receiving_unit_code,
    found.received_on,
    found.day,
    found.other_case_code,
    -- The quarter whose folder the case is missing from: that of its receipt, of an ending nobody told that of the ending.
    missing_from.quarter as correct_quarter,
    case
        when found.kind in ('carried_over_unknown', 'open_then_gone') then totals.carried_over
        when found.kind like 'handover_%' then handed_over.carried_over
    end as carried_over,
    case
        when found.kind in ('carried_over_unknown', 'open_then_gone') then totals.open_before
        when found.kind like 'handover_%' then handed_over.open_at_end
    end as open_before
from found
cross join run
inner join {{ ref('stg_deliveries__deliveries') }} as deliveries on found.delivery_id = deliveries.delivery_id
left join totals on found.unit_code = totals.unit_code
left join (
    select unit_code, max(open_at_end) as open_at_end, max(carried_over) as carried_over
    from {{ ref('int_case_handover') }}
    group by unit_code
) as handed_over
    on found.unit_code = handed_over.unit_code
left join periods as missing_from
    on missing_from.kind = 'quarter'
    and missing_from.calendar = run.calendar
    and found.kind in ('carried_over_unknown', 'ended_unreported', 'open_then_gone')
    and missing_from.closes_on < run.opens_on
    and case when found.kind = 'open_then_gone' then found.day else found.received_on end
    between missing_from.opens_on and missing_from.closes_on
