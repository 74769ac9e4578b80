-- The table of periods in its order: by closing, and of those that close together the shorter first.
select
    quarter,
    kind,
    calendar,
    opens_on,
    closes_on,
    year_opens_on,
    coalesce(made_of, '') as made_of,
    previous_quarter,
    same_quarter_last_year,
    row_number() over (order by closes_on, opens_on desc, quarter) as period_no
from {{ ref('reporting_periods') }}
