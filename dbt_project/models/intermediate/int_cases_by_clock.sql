with scope as (

    select 'reporting_window' as clock, quarter, opens_on, closes_on from {{ ref('int_report_scope') }}
    union all
    select 'calendar_quarter' as clock, quarter, opens_on, closes_on from {{ ref('int_calendar_scope') }}

),

units as (

    select * from {{ ref('int_units') }}

),

periods as (

    select quarter, closes_on from {{ ref('reporting_periods') }}

),

-- Rows of the reporting unit's own folders about its own units. The folder decides whose report a row may touch, so a
-- file laid in one district's folder can never change another's figures.
versions as (

    select
        folders.reporting_unit_code as unit_code,
        receivers.unit_level,
        receivers.current_unit_code as receiving_unit_code,
        delivered.quarter as delivered_quarter,
        delivered.case_code,
        delivered.procedure_code,
        delivered.status,
        delivered.channel,
        delivered.return_channel,
        cast(delivered.received_at as date) as received_on,
        cast(coalesce(delivered.extended_to, delivered.due_at) as date) as due_on,
        cast(coalesce(delivered.finished_at, delivered.returned_at) as date) as ended_on,
        delivered.suspended_days,
        delivered.late_reason_vi,
        delivered.delivery_id,
        delivered.delivery_rank,
        delivered.sheet,
        delivered.row_number
    from {{ ref('stg_one_stop_cases__cases') }} as delivered
    inner join units as folders
        on delivered.quarter = folders.quarter and delivered.delivering_unit_code = folders.unit_code
    inner join units as receivers
        on delivered.quarter = receivers.quarter
        and {{ administrative_code('delivered.receiving_unit_code') }} = receivers.unit_code
        and folders.reporting_unit_code = receivers.reporting_unit_code

),

-- The same rows, only what puts them in order: kept apart from the wide rows so that millions of cases stay in memory.
keys as (

    select
        folders.reporting_unit_code as unit_code,
        delivered.case_code,
        delivered.quarter as delivered_quarter,
        delivered.status in ('withdrawn', 'refused') as is_set_aside,
        delivered.delivery_rank,
        delivered.sheet,
        delivered.row_number
    from {{ ref('stg_one_stop_cases__cases') }} as delivered
    inner join units as folders
        on delivered.quarter = folders.quarter and delivered.delivering_unit_code = folders.unit_code

),

-- Most cases are delivered once; only the others need to be put in order. Numbers first, codes second: a million hashes
-- are grouped in a fraction of the time of a million codes, and codes that only share a hash drop out after.
suspects as (

    select {{ row_hash('unit_code, case_code') }} as case_hash
    from keys
    group by case_hash
    having count(*) > 1

),

repeated as (

    select unit_code, case_code
    from keys
    where {{ row_hash('unit_code, case_code') }} in (select case_hash from suspects)
    group by unit_code, case_code
    having count(*) > 1

),

ordered as (

    select
        keys.delivery_rank,
        keys.sheet,
        keys.row_number,
        -- The first quarter in which a later version of the case is known: from then on this one no longer counts.
        min(keys.delivered_quarter) over (
            partition by keys.unit_code, keys.case_code
            order by keys.delivery_rank desc, keys.sheet desc, keys.row_number desc
            rows between unbounded preceding and 1 preceding
        ) as superseded_from,
        min(case when keys.is_set_aside then keys.delivered_quarter end) over (
            partition by keys.unit_code, keys.case_code
        ) as first_set_aside
    from keys
    inner join repeated on keys.unit_code = repeated.unit_code and keys.case_code = repeated.case_code

),

-- When the case left the stock and how. Dates are believed before labels: a case "in progress" with a date of ending
-- has ended. A suspended one has not, whatever its dates. A withdrawn or refused case without a date left in the quarter
-- in which it was first known so.
settled as (

    select
        versions.*,
        ordered.superseded_from,
        case
            when versions.status in ('withdrawn', 'refused') then coalesce(versions.ended_on, set_aside.closes_on)
            when versions.status <> 'suspended' then versions.ended_on
        end as left_on
    from versions
    left join ordered
        on versions.delivery_rank = ordered.delivery_rank
        and versions.sheet is not distinct from ordered.sheet
        and versions.row_number = ordered.row_number
    left join periods as set_aside
        on coalesce(ordered.first_set_aside, versions.delivered_quarter) = set_aside.quarter
    where versions.status not in ('registered', 'not_received')

),

in_quarter as (

    select
        settled.*,
        scope.clock,
        scope.quarter,
        scope.opens_on,
        scope.closes_on,
        case
            when settled.left_on > scope.closes_on then 'in_progress'
            when settled.status in ('withdrawn', 'refused') then settled.status
            when settled.left_on is not null then 'resolved'
            when settled.status in ('suspended', 'waiting_for_supplement') then settled.status
            else 'in_progress'
        end as outcome
    from settled
    inner join scope
        on settled.delivered_quarter <= scope.quarter
        and (settled.superseded_from is null or settled.superseded_from > scope.quarter)
        and settled.received_on <= scope.closes_on
        and (settled.left_on is null or settled.left_on >= scope.opens_on)

)

select
    in_quarter.clock,
    in_quarter.unit_code,
    in_quarter.quarter,
    in_quarter.unit_level,
    in_quarter.receiving_unit_code,
    in_quarter.case_code,
    in_quarter.procedure_code,
    -- Of the catalogue only: what a clerk wrote beside the case is published nowhere.
    coalesce(procedures.field_vi, 'Chưa xác định') as field_vi,
    in_quarter.channel,
    in_quarter.return_channel,
    in_quarter.received_on,
    in_quarter.due_on,
    in_quarter.left_on,
    in_quarter.outcome,
    in_quarter.received_on >= in_quarter.opens_on as is_received,
    in_quarter.received_on < in_quarter.opens_on as is_carried_over,
    in_quarter.outcome = 'resolved' as is_resolved,
    in_quarter.outcome not in ('resolved', 'withdrawn', 'refused') as is_open,
    case
        when in_quarter.outcome <> 'resolved' then null
        when in_quarter.left_on < in_quarter.due_on then 'early'
        when in_quarter.left_on > in_quarter.due_on and decisions.decision_id is null then 'late'
        else 'on_time'
    end as timeliness,
    in_quarter.outcome = 'in_progress' and in_quarter.due_on < in_quarter.closes_on as is_overdue,
    -- Set only where the decision changes the count: the case would else be late.
    case
        when in_quarter.outcome = 'resolved' and in_quarter.left_on > in_quarter.due_on then decisions.decision_id
    end as decision_id,
    case
        when in_quarter.outcome = 'resolved'
            then greatest(
                left_day.working_day_number - received_day.working_day_number - coalesce(in_quarter.suspended_days, 0),
                0
            )
    end as working_days,
    -- The time was up by closing: asked of cases that were resolved or still are in progress, since no other's runs.
    coalesce(
        (in_quarter.outcome = 'resolved' and in_quarter.due_on <= in_quarter.closes_on)
        or (in_quarter.outcome = 'in_progress' and in_quarter.due_on < in_quarter.closes_on),
        false
    ) as is_due,
    case
        when in_quarter.outcome not in ('resolved', 'withdrawn', 'refused')
            then closing_day.working_day_number - received_day.working_day_number
    end as open_working_days,
    -- Only of cases after their time: a class, never what was written.
    case
        when
            (in_quarter.outcome = 'resolved' and in_quarter.left_on > in_quarter.due_on)
            or (in_quarter.outcome = 'in_progress' and in_quarter.due_on < in_quarter.closes_on)
            then coalesce(causes.late_cause, 'not_said')
    end as late_cause,
    {{ lineage('in_quarter') }}
from in_quarter
left join {{ ref('int_procedures_listed') }} as procedures
    on in_quarter.unit_code = procedures.unit_code
    and in_quarter.quarter = procedures.quarter
    and in_quarter.procedure_code = procedures.procedure_code
    and procedures.describes_procedure
left join {{ ref('int_decisions') }} as decisions
    on in_quarter.unit_code = decisions.unit_code
    and in_quarter.quarter = decisions.quarter
    and in_quarter.case_code = decisions.subject
    and decisions.action = 'count_as_on_time'
    and decisions.is_in_effect
left join {{ ref('int_working_days') }} as received_day on in_quarter.received_on = received_day.day
left join {{ ref('int_working_days') }} as left_day on in_quarter.left_on = left_day.day
left join {{ ref('int_working_days') }} as closing_day on in_quarter.closes_on = closing_day.day
left join {{ ref('int_late_causes') }} as causes on in_quarter.late_reason_vi = causes.late_reason_vi
