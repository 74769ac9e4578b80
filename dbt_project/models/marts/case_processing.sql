{% set key = ['unit_code', 'quarter', 'receiving_unit_code', 'field_vi', 'channel'] %}
with cases as (

    select * from {{ ref('int_case_counts') }} where clock = 'reporting_window'

),

counted as (

    select
        {{ key | join(', ') }},
        max(unit_level) as unit_level,
        {{ count_cases('is_carried_over') }} as carried_over,
        {{ count_cases('not is_carried_over') }} as received,
        {{ count_cases("outcome = 'resolved'") }} as resolved,
        {{ count_cases("timeliness = 'early'") }} as resolved_early,
        {{ count_cases("timeliness = 'on_time'") }} as resolved_on_time,
        {{ count_cases("timeliness = 'late'") }} as resolved_late,
        {{ count_cases("timeliness = 'unknown'") }} as resolved_without_appointment,
        {{ count_cases('is_decided') }} as counted_on_time_by_decision,
        {{ count_cases("outcome = 'in_progress' and not coalesce(is_overdue, false)") }} as in_progress_within_due,
        {{ count_cases('is_overdue') }} as in_progress_overdue,
        {{ count_cases("outcome = 'waiting_for_supplement'") }} as waiting_for_supplement,
        {{ count_cases("outcome = 'suspended'") }} as suspended,
        {{ count_cases("outcome = 'withdrawn'") }} as withdrawn,
        {{ count_cases("outcome = 'refused'") }} as refused
    from cases
    group by {{ key | join(', ') }}

),

durations as (

    select
        {{ key | join(', ') }},
        working_days,
        {{ count_cases() }} as cases_taking
    from cases
    where outcome = 'resolved' and working_days is not null
    group by {{ key | join(', ') }}, working_days

),

quantiles as (

    {{ working_day_quantiles('durations', key) }}

)

select
    counted.unit_code,
    counted.quarter,
    counted.receiving_unit_code,
    counted.field_vi,
    counted.channel,
    counted.unit_level,
    fields.field_code,
    counted.carried_over,
    counted.received,
    counted.resolved,
    counted.resolved_early,
    counted.resolved_on_time,
    counted.resolved_late,
    counted.resolved_without_appointment,
    counted.counted_on_time_by_decision,
    counted.in_progress_within_due + counted.in_progress_overdue as in_progress,
    counted.in_progress_within_due,
    counted.in_progress_overdue,
    counted.waiting_for_supplement,
    counted.suspended,
    counted.withdrawn,
    counted.refused,
    quantiles.median_working_days,
    quantiles.p90_working_days,
    cast(null as string) as held_back
from counted
left join quantiles
    on counted.unit_code = quantiles.unit_code
    and counted.quarter = quantiles.quarter
    and counted.receiving_unit_code = quantiles.receiving_unit_code
    and counted.field_vi = quantiles.field_vi
    and counted.channel = quantiles.channel
left join {{ ref('procedure_fields') }} as fields on counted.field_vi = fields.field_name_vi
