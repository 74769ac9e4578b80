-- What came in is what went out or is still there, and every resolved case is early, on time, late or without an appointment.
select
    unit_code,
    quarter,
    receiving_unit_code,
    field_vi,
    channel
from {{ ref('case_processing') }}
where
    received + carried_over <> resolved + in_progress + waiting_for_supplement + suspended + withdrawn + refused
    or resolved <> resolved_early + resolved_on_time + resolved_late + resolved_without_appointment
    or in_progress <> in_progress_within_due + in_progress_overdue
