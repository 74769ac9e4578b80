select
    scope.quarter,
    scope.period_no,
    periods.calendar_opens_on as opens_on,
    periods.calendar_closes_on as closes_on
from {{ ref('int_report_scope') }} as scope
inner join {{ ref('reporting_periods') }} as periods on scope.quarter = periods.quarter
where scope.is_run_quarter
