{#
    For a run of a longer period: the cases that a count of the form counts in the period and in its quarters a different
    number of times, one row a measure and case. Compiles the same declarations as compile_measures: the counts of rows
    in the window that add up.

    The row shown is the one that the longer period counts, else the last that a quarter counts.
#}
{% macro compile_period_moves(fact, measures_model) %}
    {% if execute %}
        {% set meta = graph.nodes['model.' ~ project_name ~ '.' ~ measures_model].config.meta %}
        {% set counts = meta.measures | selectattr('aggregation', 'equalto', 'count')
                                      | selectattr('id', 'in', measures_adding_up()) | list %}
        {{ moved_rows(fact, counts) }}
    {% else %}
        select * from {{ fact }} cross join {{ ref('int_report_scope') }} cross join {{ ref('int_reporting_units') }}
    {% endif %}
{% endmacro %}

{% macro moved_rows(fact, measures) %}
with scope as (

    select scope.*
    from {{ ref('int_report_scope') }} as scope
    inner join {{ ref('int_report_scope') }} as run on run.is_run_quarter and run.made_of <> ''
    where scope.is_run_quarter or scope.is_part

),

marked as (

    select
        fact.unit_code,
        scope.run_quarter,
        scope.quarter,
        scope.period_no,
        scope.is_run_quarter,
        fact.case_key,
        fact.case_code,
        fact.receiving_unit_code,
        fact.received_on,
        fact.left_on,
        fact.delivery_id,
        fact.sheet,
        fact.row_number,
        {% for measure in measures %}
        case when {{ measure_rows(measure, measure.filter, in_window=true) }} then {{ 2 ** loop.index0 }} else 0 end
        {{ '+' if not loop.last }}
        {% endfor %} as marks
    from {{ fact }} as fact
    inner join scope on fact.quarter = scope.quarter

),

counted as (

    {% for measure in measures %}
    select '{{ measure.id }}' as measure, marked.*
    from marked
    where (marked.marks & {{ 2 ** loop.index0 }}) <> 0
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

balanced as (

    select
        *,
        count(case when is_run_quarter then 1 end) over cases_of_measure as times_in_whole,
        count(case when not is_run_quarter then 1 end) over cases_of_measure as times_in_parts,
        row_number() over (
            partition by unit_code, measure, case_key order by is_run_quarter desc, period_no desc
        ) as place
    from counted
    window cases_of_measure as (partition by unit_code, measure, case_key)

),

named as (

    select
        unit_code,
        measure,
        case_key,
        {{ joined_in_order("case when is_run_quarter then null else quarter end", 'period_no') }} as counted_in
    from counted
    group by unit_code, measure, case_key

)

select
    balanced.*,
    named.counted_in
from balanced
inner join named
    on balanced.unit_code = named.unit_code
    and balanced.measure = named.measure
    and balanced.case_key = named.case_key
where balanced.place = 1 and balanced.times_in_whole <> balanced.times_in_parts
{% endmacro %}
