{% set key = ['unit_code', 'quarter', 'clock', 'unit_level', 'procedure_code'] %}
with resolved as (

    select
        unit_code,
        quarter,
        clock,
        unit_level,
        coalesce(procedure_code, 'not_said') as procedure_code,
        field_vi,
        timeliness,
        working_days,
        cases
    from {{ ref('int_case_counts') }}
    where outcome = 'resolved'

),

counted as (

    select
        {{ key | join(', ') }},
        max(field_vi) as field_vi,
        {{ count_cases() }} as resolved,
        {{ count_cases("timeliness = 'late'") }} as resolved_late
    from resolved
    group by {{ key | join(', ') }}

),

durations as (

    select
        {{ key | join(', ') }},
        working_days,
        {{ count_cases() }} as cases_taking
    from resolved
    where working_days is not null
    group by {{ key | join(', ') }}, working_days

),

quantiles as (

    {{ working_day_quantiles('durations', key) }}

)

select
    counted.unit_code,
    counted.quarter,
    counted.clock,
    counted.unit_level,
    counted.procedure_code,
    procedures.procedure_name_vi,
    counted.field_vi,
    counted.resolved,
    counted.resolved_late,
    quantiles.median_working_days,
    quantiles.p90_working_days,
    cast(null as string) as held_back
from counted
left join quantiles
    on counted.unit_code = quantiles.unit_code
    and counted.quarter = quantiles.quarter
    and counted.clock = quantiles.clock
    and counted.unit_level = quantiles.unit_level
    and counted.procedure_code = quantiles.procedure_code
left join {{ ref('dim_procedure') }} as procedures
    on counted.unit_code = procedures.unit_code
    and counted.quarter = procedures.quarter
    and counted.procedure_code = procedures.procedure_code
