-- The same cases on time over three denominators; each rate is printed with the two numbers it is made of.
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
    clocks.opens_on as window_from,
    clocks.closes_on as window_to,
    clocks.is_complete,
    cast(null as varchar) as held_back
from rates
inner join {{ ref('int_clocks') }} as clocks
    on rates.clock = clocks.clock and rates.unit_code = clocks.unit_code and rates.quarter = clocks.quarter
