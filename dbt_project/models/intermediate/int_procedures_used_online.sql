-- Procedures offered online at level 3 or 4 that had a case received online in the quarter.
select
    unit_code,
    quarter,
    procedure_code
from {{ ref('int_cases_by_clock') }}
where
    clock = 'reporting_window'
    and is_received
    and channel = 'online'
    and online_offered_level in ('level_3', 'level_4')
group by unit_code, quarter, procedure_code
