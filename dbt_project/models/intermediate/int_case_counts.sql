-- Every count of cases starts here: the million rows are read once, what the marts tell apart stays.
with cases as (

    select cases.*
    from {{ ref('int_cases_by_clock') }} as cases
    inner join {{ ref('int_reporting_units') }} as reporting_units
        on cases.unit_code = reporting_units.unit_code
        and cases.quarter = reporting_units.quarter
        and reporting_units.is_run_quarter
    where cases.is_in_stock

)

select
    clock,
    unit_code,
    quarter,
    unit_level,
    receiving_unit_code,
    field_vi,
    procedure_code,
    channel,
    is_carried_over,
    outcome,
    timeliness,
    is_overdue,
    is_due,
    decision_id is not null as is_decided,
    late_cause,
    working_days,
    open_working_days,
    count(*) as cases
from cases
group by
    clock, unit_code, quarter, unit_level, receiving_unit_code, field_vi, procedure_code, channel, is_carried_over, outcome,
    timeliness, is_overdue, is_due, decision_id is not null, late_cause, working_days, open_working_days
