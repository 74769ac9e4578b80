-- What became of the cases that units had open when they ended, told in the period in which other units took them over:
-- each is carried over by the one in whose export it appears, or into which its unit went whole. Empty in every other
-- period. Of a longer period its quarters ask.
with windows as (

    select windows.*
    from {{ ref('int_unit_windows') }} as windows
    inner join {{ ref('int_report_scope') }} as scope on windows.quarter = scope.quarter
    where windows.is_run_quarter and scope.made_of = ''

),

-- Each ended unit, the one it reported by, and the unit that took it over: one that began with it, or one that went on.
-- One that goes on under another name took over nobody.
successions as (

    select
        windows.unit_code,
        pasts.relation = 'whole' as is_whole,
        pasts.past_unit_code as part_code,
        pasts.reported_by_code as ended_code,
        pasts.begins_on as began_on,
        pasts.last_day as ended_on
    from windows
    inner join {{ ref('stg_units__pasts') }} as pasts
        on windows.unit_code = pasts.unit_code
        and pasts.relation <> 'own'
        and {{ days_after('pasts.last_day', 1) }} = pasts.taken_over_on
        and pasts.taken_over_on between windows.opens_on and windows.closes_on

),

heirs as (

    select distinct ended_code, ended_on, unit_code from successions

),

folders as (

    -- Before it began its code was another unit's.
    select ended_code, ended_on, part_code as folder_code, began_on from successions
    union
    select ended_code, ended_on, ended_code as folder_code, cast(null as date) as began_on from successions
    where ended_code <> part_code

),

cases as (

    select
        delivering_unit_code,
        quarter,
        case_code,
        {{ canonical_case_code('case_code') }} as case_key,
        {{ administrative_code('receiving_unit_code') }} as receiving_unit_code,
        status,
        cast(received_at as date) as received_on,
        cast(coalesce(finished_at, returned_at) as date) as left_on,
        delivery_id,
        delivery_rank,
        sheet,
        row_number
    from {{ ref('stg_one_stop_cases__cases') }}

),

-- As the ended unit's folders, and those of its parts, told of each case last.
told_before as (

    select * from (
        select
            folders.ended_code,
            folders.ended_on,
            cases.*,
            row_number() over (
                partition by folders.ended_code, cases.case_key
                order by periods.period_no desc, cases.delivery_rank desc, cases.sheet desc, cases.row_number desc
            ) as recency
        from cases
        inner join {{ ref('int_periods') }} as periods on cases.quarter = periods.quarter
        inner join folders
            on cases.delivering_unit_code = folders.folder_code
            and periods.closes_on <= folders.ended_on
            and (folders.began_on is null or periods.closes_on >= folders.began_on)
        where cases.received_on <= folders.ended_on and cases.status not in ('registered', 'not_received')
    ) as ranked
    where recency = 1

),

open_at_end as (

    select * from told_before
    where status not in ('withdrawn', 'refused') and (left_on is null or left_on > ended_on)

),

-- As the exports of the units after it show it.
taken as (

    select * from (
        select
            heirs.ended_code,
            heirs.ended_on,
            heirs.unit_code,
            cases.*,
            row_number() over (
                partition by heirs.ended_code, heirs.unit_code, cases.case_key
                order by cases.delivery_rank desc, cases.sheet desc, cases.row_number desc
            ) as recency
        from cases
        inner join windows on cases.quarter = windows.quarter and cases.delivering_unit_code = windows.unit_code
        inner join heirs on windows.unit_code = heirs.unit_code
        where cases.status not in ('registered', 'not_received')
    ) as ranked
    where recency = 1

),

carriers as (

    select open_at_end.ended_code, open_at_end.case_key, taken.unit_code
    from open_at_end
    inner join taken on open_at_end.ended_code = taken.ended_code and open_at_end.case_key = taken.case_key
    union
    select open_at_end.ended_code, open_at_end.case_key, successions.unit_code
    from open_at_end
    inner join successions
        on open_at_end.ended_code = successions.ended_code
        and open_at_end.receiving_unit_code = successions.part_code
        and successions.is_whole

),

counted as (

    select
        open_at_end.ended_code,
        open_at_end.case_key,
        count(carriers.unit_code) as carried_by
    from open_at_end
    left join carriers
        on open_at_end.ended_code = carriers.ended_code and open_at_end.case_key = carriers.case_key
    group by open_at_end.ended_code, open_at_end.case_key

),

totals as (

    select
        ended_code,
        count(*) as open_at_end,
        count(*) filter (where carried_by > 0) as carried_over
    from counted
    group by ended_code

),

found as (

    select
        case when counted.carried_by = 1 then 'carried_over' else 'carried_twice' end as kind,
        carriers.unit_code,
        open_at_end.ended_code,
        open_at_end.case_key,
        coalesce(taken.case_code, open_at_end.case_code) as case_code,
        carriers.unit_code as receiving_unit_code,
        open_at_end.received_on,
        coalesce(taken.delivery_id, open_at_end.delivery_id) as delivery_id,
        case when taken.delivery_id is null then open_at_end.sheet else taken.sheet end as sheet,
        coalesce(taken.row_number, open_at_end.row_number) as row_number,
        taken.left_on
    from open_at_end
    inner join counted
        on open_at_end.ended_code = counted.ended_code and open_at_end.case_key = counted.case_key
    inner join carriers
        on open_at_end.ended_code = carriers.ended_code and open_at_end.case_key = carriers.case_key
    left join taken
        on carriers.ended_code = taken.ended_code
        and carriers.unit_code = taken.unit_code
        and carriers.case_key = taken.case_key

    union all

    -- Every unit after it is asked: nobody knows whose it should have been.
    select
        'remainder' as kind,
        heirs.unit_code,
        open_at_end.ended_code,
        open_at_end.case_key,
        open_at_end.case_code,
        heirs.unit_code as receiving_unit_code,
        open_at_end.received_on,
        open_at_end.delivery_id,
        open_at_end.sheet,
        open_at_end.row_number,
        open_at_end.left_on
    from open_at_end
    inner join counted
        on open_at_end.ended_code = counted.ended_code
        and open_at_end.case_key = counted.case_key
        and counted.carried_by = 0
    inner join heirs on open_at_end.ended_code = heirs.ended_code

    union all

    select
        'received_twice' as kind,
        taken.unit_code,
        taken.ended_code,
        taken.case_key,
        taken.case_code,
        taken.unit_code as receiving_unit_code,
        taken.received_on,
        taken.delivery_id,
        taken.sheet,
        taken.row_number,
        taken.left_on
    from taken
    inner join told_before on taken.ended_code = told_before.ended_code and taken.case_key = told_before.case_key
    where taken.received_on > taken.ended_on

)

select
    found.*,
    coalesce(totals.open_at_end, 0) as open_at_end,
    coalesce(totals.carried_over, 0) as carried_over
from found
left join totals on found.ended_code = totals.ended_code
