with causes as (

    select cause_code, max(cause_vi) as cause_vi from {{ ref('late_causes') }} group by cause_code

),

late as (

    select
        unit_code,
        quarter,
        clock,
        receiving_unit_code,
        unit_level,
        case
            when timeliness = 'late' then 'resolved_late'
            when is_overdue then 'in_progress_overdue'
            else 'counted_on_time_by_decision'
        end as lateness,
        late_cause as cause_code,
        cases
    from {{ ref('int_case_counts') }}
    where timeliness = 'late' or is_overdue or is_decided

)

select
    late.unit_code,
    late.quarter,
    late.clock,
    late.receiving_unit_code,
    late.lateness,
    late.cause_code,
    max(late.unit_level) as unit_level,
    max(causes.cause_vi) as cause_vi,
    {{ count_cases() }} as cases,
    cast(null as string) as held_back
from late
inner join causes on late.cause_code = causes.cause_code
group by late.unit_code, late.quarter, late.clock, late.receiving_unit_code, late.lateness, late.cause_code
