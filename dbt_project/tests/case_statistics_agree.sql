-- Every statistic of cases tells the same cases: what several marts count must come to the same by receiving unit.
{{ config(meta={'dagster': {'ref': {'name': 'case_processing'}}}) }}

with cases as (

    select
        unit_code,
        quarter,
        receiving_unit_code,
        {% for column in ['received', 'carried_over', 'resolved', 'resolved_early', 'resolved_on_time', 'resolved_late',
                          'resolved_without_appointment', 'in_progress', 'in_progress_overdue', 'waiting_for_supplement', 'suspended', 'withdrawn', 'refused',
                          'counted_on_time_by_decision'] %}
        sum({{ column }}) as {{ column }}{% if not loop.last %},{% endif %}
        {% endfor %}
    from {{ ref('case_processing') }}
    group by unit_code, quarter, receiving_unit_code

),

form as (

    select * from {{ ref('case_form_06a') }} where clock = 'reporting_window' and breakdown = 'unit' and row_kind = 'row'

),

rates as (

    select
        unit_code,
        quarter,
        scope_code,
        max(case when denominator_kind = 'received' then denominator end) as received,
        max(case when denominator_kind = 'resolved' then denominator end) as resolved,
        max(case when denominator_kind = 'resolved' then numerator end) as on_time
    from {{ ref('case_timeliness') }}
    where clock = 'reporting_window' and scope_kind = 'unit'
    group by unit_code, quarter, scope_code

),

backlog as (

    select unit_code, quarter, receiving_unit_code, sum(cases) as open_cases, sum(overdue) as overdue
    from {{ ref('case_backlog') }}
    where clock = 'reporting_window'
    group by unit_code, quarter, receiving_unit_code

),

lateness as (

    select
        unit_code,
        quarter,
        receiving_unit_code,
        sum(case when lateness = 'resolved_late' then cases else 0 end) as resolved_late,
        sum(case when lateness = 'in_progress_overdue' then cases else 0 end) as overdue,
        sum(case when lateness = 'counted_on_time_by_decision' then cases else 0 end) as decided
    from {{ ref('case_lateness') }}
    where clock = 'reporting_window'
    group by unit_code, quarter, receiving_unit_code

),

by_unit as (

    select cases.unit_code, cases.quarter, cases.receiving_unit_code as subject
    from cases
    left join form
        on cases.unit_code = form.unit_code
        and cases.quarter = form.quarter
        and cases.receiving_unit_code = form.receiving_unit_code
    left join rates
        on cases.unit_code = rates.unit_code
        and cases.quarter = rates.quarter
        and cases.receiving_unit_code = rates.scope_code
    left join backlog
        on cases.unit_code = backlog.unit_code
        and cases.quarter = backlog.quarter
        and cases.receiving_unit_code = backlog.receiving_unit_code
    left join lateness
        on cases.unit_code = lateness.unit_code
        and cases.quarter = lateness.quarter
        and cases.receiving_unit_code = lateness.receiving_unit_code
    where
        form.unit_code is null
        or rates.unit_code is null
        or form.received_online + form.received_direct_or_postal <> cases.received
        or form.carried_over <> cases.carried_over
        or form.resolved_early <> cases.resolved_early
        or form.resolved_on_time
        <> cases.resolved_on_time + cases.waiting_for_supplement + cases.refused + cases.withdrawn
        or form.resolved_late <> cases.resolved_late
        or form.resolved_without_appointment <> cases.resolved_without_appointment
        or form.in_progress <> cases.in_progress + cases.suspended
        or form.in_progress_overdue <> cases.in_progress_overdue
        or rates.received <> cases.received
        or rates.resolved <> cases.resolved
        or rates.on_time <> cases.resolved_early + cases.resolved_on_time
        or coalesce(backlog.open_cases, 0) <> cases.in_progress + cases.waiting_for_supplement + cases.suspended
        or coalesce(backlog.overdue, 0) <> cases.in_progress_overdue
        or coalesce(lateness.resolved_late, 0) <> cases.resolved_late
        or coalesce(lateness.overdue, 0) <> cases.in_progress_overdue
        or coalesce(lateness.decided, 0) <> cases.counted_on_time_by_decision

),

procedures as (

    select unit_code, quarter, sum(resolved) as resolved, sum(resolved_late) as resolved_late
    from {{ ref('procedure_duration') }}
    where clock = 'reporting_window'
    group by unit_code, quarter

),

totals as (

    select unit_code, quarter, sum(resolved) as resolved, sum(resolved_late) as resolved_late
    from cases
    group by unit_code, quarter

),

-- Withdrawn and refused cases are received ones, so the form's rows III.23 and III.26 are what the measures say.
measured as (

    select
        form.unit_code,
        form.quarter,
        form.unit_level,
        sum(form.received_online + form.received_direct_or_postal) as received,
        max(measures.value) as measured
    from form
    inner join {{ ref('int_measures') }} as measures
        on form.unit_code = measures.unit_code
        and form.quarter = measures.quarter
        and form.unit_level || '_cases_received' = measures.measure
    group by form.unit_code, form.quarter, form.unit_level

)

select * from by_unit
union all
select totals.unit_code, totals.quarter, 'procedure_duration' as subject
from totals
left join procedures on totals.unit_code = procedures.unit_code and totals.quarter = procedures.quarter
where
    coalesce(procedures.resolved, 0) <> totals.resolved or coalesce(procedures.resolved_late, 0) <> totals.resolved_late
union all
select unit_code, quarter, unit_level || '_cases_received' as subject
from measured
where received <> measured
