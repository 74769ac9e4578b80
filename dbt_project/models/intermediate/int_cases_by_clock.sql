with scope as (

    select 'reporting_window' as clock, quarter, opens_on, closes_on from {{ ref('int_report_scope') }}
    union all
    select 'calendar_quarter' as clock, quarter, opens_on, closes_on from {{ ref('int_calendar_scope') }}

),

-- A case that was only lodged, or not taken in, is none yet, whatever its dates.
versions as (

    select * from {{ ref('int_case_versions') }} where status not in ('registered', 'not_received')

),

-- One decision a case, whichever spelling of its code each names.
decisions as (

    select * from (
        select
            unit_code,
            quarter,
            decision_id,
            {{ canonical_case_code('subject') }} as case_key,
            row_number() over (
                partition by unit_code, quarter, {{ canonical_case_code('subject') }}
                order by dated desc, decision_id desc
            ) as precedence
        from {{ ref('int_decisions') }}
        where action = 'count_as_on_time' and is_in_effect
    ) as ranked
    where precedence = 1

),

in_quarter as (

    select
        versions.*,
        scope.clock,
        scope.quarter,
        scope.opens_on,
        scope.closes_on,
        coalesce(versions.left_on >= scope.opens_on, true) as is_in_stock,
        coalesce(
            versions.returned_on between scope.opens_on and scope.closes_on
            and versions.status not in ('withdrawn', 'refused'),
            false
        ) as is_returned,
        case
            when versions.left_on < scope.opens_on then 'left_before'
            when versions.left_on > scope.closes_on then 'in_progress'
            when versions.status in ('withdrawn', 'refused') then versions.status
            when versions.left_on is not null then 'resolved'
            when versions.status in ('suspended', 'waiting_for_supplement') then versions.status
            else 'in_progress'
        end as outcome
    from versions
    inner join scope
        on versions.delivered_quarter <= scope.quarter
        and (versions.superseded_from is null or versions.superseded_from > scope.quarter)
        and versions.received_on <= scope.closes_on
        -- In the stock during the window, or out of it before and its result returned in the window.
        and (
            versions.left_on is null
            or versions.left_on >= scope.opens_on
            or versions.returned_on between scope.opens_on and scope.closes_on
        )

)

select
    in_quarter.clock,
    in_quarter.unit_code,
    in_quarter.quarter,
    in_quarter.unit_level,
    in_quarter.receiving_unit_code,
    in_quarter.case_key,
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
    in_quarter.is_in_stock,
    in_quarter.received_on >= in_quarter.opens_on as is_received,
    in_quarter.received_on < in_quarter.opens_on and in_quarter.is_in_stock as is_carried_over,
    in_quarter.outcome = 'resolved' as is_resolved,
    in_quarter.outcome not in ('resolved', 'withdrawn', 'refused', 'left_before') as is_open,
    in_quarter.is_returned,
    case
        when in_quarter.outcome <> 'resolved' then null
        -- Without an appointment only what is answered at once is on time; of the rest nobody knows.
        when in_quarter.due_on is null
            then
                case
                    when coalesce(procedures.is_answered_at_once, false) or decisions.decision_id is not null then 'on_time'
                    else 'unknown'
                end
        when in_quarter.left_on < in_quarter.due_on then 'early'
        when in_quarter.left_on > in_quarter.due_on and decisions.decision_id is null then 'late'
        else 'on_time'
    end as timeliness,
    in_quarter.outcome = 'in_progress' and in_quarter.due_on < in_quarter.closes_on as is_overdue,
    -- Set only where the decision changes the count: the case would else be late, or nobody would know.
    case
        when
            in_quarter.outcome = 'resolved'
            and (
                in_quarter.left_on > in_quarter.due_on
                or (in_quarter.due_on is null and not coalesce(procedures.is_answered_at_once, false))
            )
            then decisions.decision_id
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
        when in_quarter.outcome not in ('resolved', 'withdrawn', 'refused', 'left_before')
            then closing_day.working_day_number - received_day.working_day_number
    end as open_working_days,
    -- Only of cases after their time, or counted by decision: a class, never what was written.
    case
        when
            (in_quarter.outcome = 'resolved' and in_quarter.left_on > in_quarter.due_on)
            or (
                in_quarter.outcome = 'resolved'
                and in_quarter.due_on is null
                and not coalesce(procedures.is_answered_at_once, false)
                and decisions.decision_id is not null
            )
            or (in_quarter.outcome = 'in_progress' and in_quarter.due_on < in_quarter.closes_on)
            then coalesce(causes.late_cause, 'not_said')
    end as late_cause,
    case when procedures.is_in_force then procedures.online_offered_level end as online_offered_level,
    {{ lineage('in_quarter') }}
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
left join {{ ref('int_working_days') }} as received_day on in_quarter.received_on = received_day.day
left join {{ ref('int_working_days') }} as left_day on in_quarter.left_on = left_day.day
left join {{ ref('int_working_days') }} as closing_day on in_quarter.closes_on = closing_day.day
left join {{ ref('int_late_causes') }} as causes on in_quarter.late_reason_vi = causes.late_reason_vi
