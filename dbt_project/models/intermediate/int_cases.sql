{{ config(materialized='view') }}
-- The reporting windows of the cases; what the form is made from.
select
    cases.unit_code,
    cases.quarter,
    cases.unit_level,
    cases.receiving_unit_code,
    cases.case_key,
    cases.case_code,
    cases.procedure_code,
    cases.field_vi,
    cases.channel,
    cases.return_channel,
    cases.received_on,
    cases.due_on,
    cases.left_on,
    cases.outcome,
    cases.is_in_stock,
    cases.is_received,
    cases.is_carried_over,
    cases.is_resolved,
    cases.is_open,
    cases.is_returned,
    cases.timeliness,
    cases.is_overdue,
    cases.decision_id,
    cases.working_days,
    cases.is_due,
    cases.open_working_days,
    cases.late_cause,
    cases.online_offered_level,
    used_online.procedure_code is not null as is_of_procedure_used_online,
    {{ lineage('cases') }}
from {{ ref('int_cases_by_clock') }} as cases
left join {{ ref('int_procedures_used_online') }} as used_online
    on cases.unit_code = used_online.unit_code
    and cases.quarter = used_online.quarter
    and cases.procedure_code = used_online.procedure_code
where cases.clock = 'reporting_window'
