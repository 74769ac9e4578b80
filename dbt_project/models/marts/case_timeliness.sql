-- The same cases on time over three denominators; each rate is printed with the two numbers it is made of. How long
-- resolved cases took stands beside the rate that is asked of them.
{% set scope = ['clock', 'unit_code', 'quarter', 'scope_kind', 'scope_code'] %}
with counted as (

    select
        clock,
        unit_code,
        quarter,
        unit_level,
        receiving_unit_code,
        {{ count_cases("not is_carried_over") }} as received,
        {{ count_cases("not is_carried_over and timeliness in ('early', 'on_time')") }} as received_on_time,
        {{ count_cases("outcome = 'resolved'") }} as resolved,
        {{ count_cases("timeliness in ('early', 'on_time')") }} as resolved_on_time,
        {{ count_cases("is_due") }} as due,
        {{ count_cases("is_due and timeliness in ('early', 'on_time')") }} as due_on_time
    from {{ ref('int_case_counts') }}
    group by clock, unit_code, quarter, unit_level, receiving_unit_code

),

scoped as (

    select counted.*, 'unit' as scope_kind, receiving_unit_code as scope_code from counted
    union all
    select counted.*, 'level' as scope_kind, unit_level as scope_code from counted
    union all
    select counted.*, 'all' as scope_kind, 'all' as scope_code from counted

),

rates as (

    {% for denominator in ['received', 'resolved', 'due'] %}
    select
        clock,
        unit_code,
        quarter,
        scope_kind,
        scope_code,
        '{{ denominator }}' as denominator_kind,
        cast(sum({{ denominator }}_on_time) as bigint) as numerator,
        cast(sum({{ denominator }}) as bigint) as denominator
    from scoped
    group by clock, unit_code, quarter, scope_kind, scope_code
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

taken as (

    select
        clock,
        unit_code,
        quarter,
        unit_level,
        receiving_unit_code,
        working_days,
        {{ count_cases() }} as cases_taking
    from {{ ref('int_case_counts') }}
    where outcome = 'resolved' and working_days is not null
    group by clock, unit_code, quarter, unit_level, receiving_unit_code, working_days

),

durations as (

    select
        {{ scope | join(', ') }},
        working_days,
        sum(cases_taking) as cases_taking
    from (
        select taken.*, 'unit' as scope_kind, receiving_unit_code as scope_code from taken
        union all
        select taken.*, 'level' as scope_kind, unit_level as scope_code from taken
        union all
        select taken.*, 'all' as scope_kind, 'all' as scope_code from taken
    ) as scoped_durations
    group by {{ scope | join(', ') }}, working_days

),

quantiles as (

    {{ working_day_quantiles('durations', scope) }}

)

select
    rates.unit_code,
    rates.quarter,
    rates.clock,
    rates.scope_kind,
    rates.scope_code,
    rates.denominator_kind,
    rates.numerator,
    rates.denominator,
    {{ percent('rates.numerator', 'rates.denominator') }} as on_time_percent,
    quantiles.median_working_days,
    quantiles.p90_working_days,
    clocks.opens_on as window_from,
    clocks.closes_on as window_to,
    clocks.is_complete,
    cast(null as string) as held_back
from rates
inner join {{ ref('int_clocks') }} as clocks
    on rates.clock = clocks.clock and rates.unit_code = clocks.unit_code and rates.quarter = clocks.quarter
left join quantiles
    on rates.denominator_kind = 'resolved'
    and rates.clock = quantiles.clock
    and rates.unit_code = quantiles.unit_code
    and rates.quarter = quantiles.quarter
    and rates.scope_kind = quantiles.scope_kind
    and rates.scope_code = quantiles.scope_code
