with open_cases as (

    select
        *,
        case
            when open_working_days is null then 'unknown'
            when open_working_days <= 5 then '000-005'
            when open_working_days <= 10 then '006-010'
            when open_working_days <= 20 then '011-020'
            when open_working_days <= 40 then '021-040'
            else '041-'
        end as age_band
    from {{ ref('int_case_counts') }}
    where outcome in ('in_progress', 'waiting_for_supplement', 'suspended')

)

select
    open_cases.unit_code,
    open_cases.quarter,
    open_cases.clock,
    open_cases.receiving_unit_code,
    open_cases.outcome as state,
    open_cases.age_band,
    max(open_cases.unit_level) as unit_level,
    {{ count_cases() }} as cases,
    {{ count_cases('open_cases.is_overdue') }} as overdue,
    cast(max(open_cases.open_working_days) as integer) as oldest_working_days,
    max(clocks.closes_on) as counted_on,
    cast(null as string) as held_back
from open_cases
inner join {{ ref('int_clocks') }} as clocks
    on open_cases.clock = clocks.clock
    and open_cases.unit_code = clocks.unit_code
    and open_cases.quarter = clocks.quarter
group by
    open_cases.unit_code, open_cases.quarter, open_cases.clock, open_cases.receiving_unit_code, open_cases.outcome,
    open_cases.age_band
