-- Columns as the form's head defines them. What left the stock unresolved counts as settled on time: (9) holds cases
-- waiting for papers, refused and withdrawn too. A suspended case's time does not run: (12). A case without appointment
-- whose procedure has a limit is resolved (7) and in none of (8) to (10): the form has no column for it, the table has.
with counted as (

    select
        clock,
        unit_code,
        quarter,
        unit_level,
        receiving_unit_code,
        field_vi,
        {{ count_cases("not is_carried_over and channel = 'online'") }} as received_online,
        {{ count_cases("not is_carried_over and channel <> 'online'") }} as received_direct_or_postal,
        {{ count_cases("is_carried_over") }} as carried_over,
        {{ count_cases("timeliness = 'early'") }} as resolved_early,
        {{ count_cases("timeliness = 'on_time' or outcome in ('waiting_for_supplement', 'refused', 'withdrawn')") }} as resolved_on_time,
        {{ count_cases("timeliness = 'late'") }} as resolved_late,
        {{ count_cases("timeliness = 'unknown'") }} as resolved_without_appointment,
        {{ count_cases("outcome = 'suspended' or (outcome = 'in_progress' and not coalesce(is_overdue, false))") }} as in_progress_within_due,
        {{ count_cases("is_overdue") }} as in_progress_overdue
    from {{ ref('int_case_counts') }}
    group by clock, unit_code, quarter, unit_level, receiving_unit_code, field_vi

),

-- A row of the form is a set of counted rows: those of a field or a unit at one level, of a level, or all.
placed as (

    {% for breakdown in ['field', 'unit'] %}
    {% set own = 'field_vi' if breakdown == 'field' else 'receiving_unit_code' %}
    {% for row_kind, level, name in [('row', 'unit_level', own), ('group', 'unit_level', "''"), ('total', "'all'", "''")] %}
    select
        '{{ breakdown }}' as breakdown,
        '{{ row_kind }}' as row_kind,
        {{ level }} as level_of_row,
        {{ name }} as row_key,
        counted.*
    from counted
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

summed as (

    select
        clock,
        unit_code,
        quarter,
        breakdown,
        row_kind,
        level_of_row as unit_level,
        row_key,
        {% for column in ['received_online', 'received_direct_or_postal', 'carried_over', 'resolved_early',
                          'resolved_on_time', 'resolved_late', 'resolved_without_appointment', 'in_progress_within_due',
                          'in_progress_overdue'] %}
        cast(sum({{ column }}) as bigint) as {{ column }}{% if not loop.last %},{% endif %}
        {% endfor %}
    from placed
    group by clock, unit_code, quarter, breakdown, row_kind, level_of_row, row_key

),

numbered as (

    select
        *,
        row_number() over (
            partition by clock, unit_code, quarter, breakdown
            order by
                case unit_level when 'district' then 1 when 'commune' then 2 else 3 end,
                case row_kind when 'group' then 1 else 2 end,
                {{ alphabetical('row_key') }},
                row_key
        ) as row_no,
        row_number() over (
            partition by clock, unit_code, quarter, breakdown, unit_level, row_kind
            order by {{ alphabetical('row_key') }}, row_key
        ) as place_in_group
    from summed

)

select
    numbered.unit_code,
    numbered.quarter,
    numbered.clock,
    numbered.breakdown,
    cast(numbered.row_no as integer) as row_no,
    numbered.row_kind,
    numbered.unit_level,
    case
        when numbered.row_kind = 'row' then cast(numbered.place_in_group as string)
        when numbered.row_kind = 'group' then case numbered.unit_level when 'district' then 'I' else 'II' end
    end as printed_number,
    case
        when numbered.row_kind = 'total' then 'Tổng cộng'
        when numbered.row_kind = 'group' then case numbered.unit_level when 'district' then 'Cấp huyện' else 'Cấp xã' end
        else coalesce(units.name_vi, numbered.row_key)
    end as name_vi,
    case when numbered.row_kind = 'row' and numbered.breakdown = 'field' then numbered.row_key end as field_vi,
    case when numbered.row_kind = 'row' and numbered.breakdown = 'unit' then numbered.row_key end as receiving_unit_code,
    numbered.received_online + numbered.received_direct_or_postal + numbered.carried_over as to_resolve,
    numbered.received_online,
    numbered.received_direct_or_postal,
    numbered.carried_over,
    numbered.resolved_early + numbered.resolved_on_time + numbered.resolved_late + numbered.resolved_without_appointment
        as resolved,
    numbered.resolved_early,
    numbered.resolved_on_time,
    numbered.resolved_late,
    numbered.in_progress_within_due + numbered.in_progress_overdue as in_progress,
    numbered.in_progress_within_due,
    numbered.in_progress_overdue,
    numbered.resolved_without_appointment,
    clocks.window_quarter,
    clocks.opens_on as window_from,
    clocks.closes_on as window_to,
    clocks.is_complete,
    cast(null as string) as held_back
from numbered
inner join {{ ref('int_clocks') }} as clocks
    on numbered.clock = clocks.clock and numbered.unit_code = clocks.unit_code and numbered.quarter = clocks.quarter
left join {{ ref('dim_unit') }} as units
    on numbered.breakdown = 'unit'
    and numbered.row_key = units.unit_code
    and numbered.unit_code = units.reporting_unit_code
