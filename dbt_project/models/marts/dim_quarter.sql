select
    quarter,
    opens_on,
    closes_on,
    due_on,
    year_opens_on,
    previous_quarter,
    same_quarter_last_year,
    legal_basis
from {{ ref('reporting_periods') }}
