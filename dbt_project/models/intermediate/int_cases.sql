{{ config(materialized='view') }}
-- The reporting windows of the cases; what the form is made from.
select
    unit_code,
    quarter,
    unit_level,
    receiving_unit_code,
    case_code,
    procedure_code,
    field_vi,
    channel,
    return_channel,
    received_on,
    due_on,
    left_on,
    outcome,
    is_received,
    is_carried_over,
    is_resolved,
    is_open,
    timeliness,
    is_overdue,
    decision_id,
    working_days,
    is_due,
    open_working_days,
    late_cause,
    delivery_id,
    sheet,
    row_number
from {{ ref('int_cases_by_clock') }}
where clock = 'reporting_window'
