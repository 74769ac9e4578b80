select
    quarter,
    kind,
    calendar,
    opens_on,
    closes_on,
    due_on,
    year_opens_on,
    made_of,
    previous_quarter,
    same_quarter_last_year,
    calendar_quarter,
    calendar_opens_on,
    calendar_closes_on,
    legal_basis
from {{ ref('reporting_periods') }}
