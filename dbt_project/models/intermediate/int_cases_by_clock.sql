with scope as (

    select 'reporting_window' as clock, unit_code, quarter, period_no, opens_on, closes_on
    from {{ ref('int_unit_windows') }}
    union all
    select 'calendar_quarter' as clock, windows.unit_code, calendar.quarter, calendar.period_no, calendar.opens_on,
        calendar.closes_on
    from {{ ref('int_calendar_scope') }} as calendar
    inner join {{ ref('int_unit_windows') }} as windows on calendar.quarter = windows.quarter

),

-- A case that was only lodged, or not taken in, is none yet, whatever its dates.
versions as (

    select * from {{ ref('int_case_versions') }} where status not in ('registered', 'not_received')

),

named_cases as (

    select unit_code, quarter, decision_id, case_key, dated from {{ ref('int_decided_cases') }}

),

-- One decision a case, whichever spelling of its code each names.
decisions as (

    select * from (
        select
            *,
            row_number() over (
                partition by unit_code, quarter, case_key
                order by dated desc, decision_id desc
            ) as precedence
        from named_cases
    ) as ranked
    where precedence = 1

),

-- A case that came with another unit within the window was that one's up to then, and is in that one's last report.
in_window as (

    select
        versions.*,
        scope.clock,
        scope.quarter,
        case
            when versions.taken_over_on between scope.opens_on and scope.closes_on then versions.taken_over_on
            else scope.opens_on
        end as opens_on,
        scope.closes_on
    from versions
    inner join scope
        on versions.unit_code = scope.unit_code
        and versions.delivered_no <= scope.period_no
        and (versions.superseded_from_no is null or versions.superseded_from_no > scope.period_no)
        and versions.received_on <= scope.closes_on

),

in_quarter as (

    select
        in_window.*,
        coalesce(left_on >= opens_on, true) as is_in_stock,
        coalesce(
            returned_on between opens_on and closes_on and status not in ('withdrawn', 'refused'),
            false
        ) as is_returned,
        case
            when left_on < opens_on then 'left_before'
            when left_on > closes_on then 'in_progress'
            when status in ('withdrawn', 'refused') then status
            when left_on is not null then 'resolved'
            when status in ('suspended', 'waiting_for_supplement') then status
            else 'in_progress'
        end as outcome
    from in_window
    -- In the stock during the window, or out of it before and its result returned in the window.
    where left_on is null or left_on >= opens_on or returned_on between opens_on and closes_on

),

judged as (

    select
        in_quarter.*,
        -- Of the catalogue only: what a clerk wrote beside the case is published nowhere.
        coalesce(procedures.field_vi, 'Chưa xác định') as field_vi,
        case when procedures.is_in_force then procedures.online_offered_level end as online_offered_level,
        decisions.decision_id as count_as_on_time_decision_id,
        {{ timeliness_by_days(
            'in_quarter.outcome', 'in_quarter.left_on', 'in_quarter.due_on', 'coalesce(procedures.is_answered_at_once, false)'
        ) }} as by_days,
        {{ is_overdue('in_quarter.outcome', 'in_quarter.due_on', 'in_quarter.closes_on') }} as is_overdue
    from in_quarter
    left join {{ ref('int_procedures_listed') }} as procedures
        on in_quarter.unit_code = procedures.unit_code
        and in_quarter.quarter = procedures.quarter
        and in_quarter.procedure_code = procedures.procedure_code
        and procedures.describes_procedure
    left join decisions
        on in_quarter.unit_code = decisions.unit_code
        and in_quarter.quarter = decisions.quarter
        and in_quarter.case_key = decisions.case_key

)

select
    judged.clock,
    judged.unit_code,
    judged.quarter,
    judged.unit_level,
    judged.receiving_unit_code,
    judged.case_key,
    judged.case_code,
    judged.procedure_code,
    judged.field_vi,
    judged.channel,
    judged.return_channel,
    judged.received_on,
    judged.due_on,
    judged.left_on,
    judged.outcome,
    judged.is_in_stock,
    judged.received_on >= judged.opens_on as is_received,
    judged.received_on < judged.opens_on and judged.is_in_stock as is_carried_over,
    judged.outcome = 'resolved' as is_resolved,
    judged.outcome not in ('resolved', 'withdrawn', 'refused', 'left_before') as is_open,
    judged.is_returned,
    case
        when {{ needs_decision('judged.by_days') }} and judged.count_as_on_time_decision_id is not null then 'on_time'
        else judged.by_days
    end as timeliness,
    judged.is_overdue,
    case when {{ needs_decision('judged.by_days') }} then judged.count_as_on_time_decision_id end as decision_id,
    -- Blank where a day is not in the calendar: greatest(blank, 0) would say 0.
    case
        when judged.outcome <> 'resolved' then null
        when left_day.working_day_number - received_day.working_day_number < coalesce(judged.suspended_days, 0) then 0
        else left_day.working_day_number - received_day.working_day_number - coalesce(judged.suspended_days, 0)
    end as working_days,
    {{ is_due('judged.outcome', 'judged.due_on', 'judged.closes_on') }} as is_due,
    case
        when judged.outcome not in ('resolved', 'withdrawn', 'refused', 'left_before')
            then closing_day.working_day_number - received_day.working_day_number
    end as open_working_days,
    -- Only of cases after their time, or counted by decision: a class, never what was written.
    case
        when
            judged.by_days = 'late'
            or (judged.by_days = 'unknown' and judged.count_as_on_time_decision_id is not null)
            or judged.is_overdue
            then coalesce(causes.late_cause, 'not_said')
    end as late_cause,
    judged.online_offered_level,
    {{ lineage('judged') }}
from judged
left join {{ ref('int_working_days') }} as received_day on judged.received_on = received_day.day
left join {{ ref('int_working_days') }} as left_day on judged.left_on = left_day.day
left join {{ ref('int_working_days') }} as closing_day on judged.closes_on = closing_day.day
left join {{ ref('int_late_causes') }} as causes on judged.late_reason_vi = causes.late_reason_vi
