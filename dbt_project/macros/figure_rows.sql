{#
    Compiles the same declarations as compile_measures into the rows behind each measure, for the run quarter: one row a
    measure, delivered sheet and contribution, with the numbers of the sheet's rows as text ("6-120,122").

    A row that a measure counts only by decision (`counts_by_decision`) carries the decision.

    What a row contributes: 1 to a count; its amount to a sum; to a distinct count 1 where it is the first of its value
    (by delivery, sheet, row), else 0. The contributions of a measure add up to its value.

    A million cases stand behind a dozen measures each, so the rows are marked in one pass with a bit a measure, joined
    to the few combinations of bits that occur, and folded into ranges before any name is written out.
#}
{% macro compile_figure_rows(fact, measures_model) %}
    {% if execute %}
        {% set meta = graph.nodes['model.' ~ project_name ~ '.' ~ measures_model].config.meta %}
        {{ folded_rows(fact, meta.measures) }}
    {% else %}
        select * from {{ fact }} cross join {{ ref('int_report_scope') }} cross join {{ ref('int_reporting_units') }}
    {% endif %}
{% endmacro %}

{% macro folded_rows(fact, measures) %}
{% set counts = measures | selectattr('aggregation', 'in', ['count', 'count_distinct']) | list %}
{% set distincts = measures | selectattr('aggregation', 'equalto', 'count_distinct') | list %}
{% set decided = measures | selectattr('counts_by_decision', 'defined') | list %}
{% set sums = measures | selectattr('aggregation', 'equalto', 'sum') | list %}
{% if counts | length > 62 %}
    {{ exceptions.raise_compiler_error('more than 62 counts over one fact: declare the rest in a second model') }}
{% endif %}
with fact as (

    select * from {{ fact }}
    where quarter in (select quarter from {{ ref('int_report_scope') }} where is_run_quarter)

),

places as (

    select
        unit_code as place_unit_code,
        quarter,
        delivery_id,
        sheet,
        row_number() over (order by unit_code, delivery_id, sheet) as place_no
    from (select distinct unit_code, quarter, delivery_id, sheet from fact) as sheets

),

marked as (

    select
        places.place_no,
        fact.row_number,
        {{ row_position('places.place_no', 'fact.row_number') }} as position,
        fact.unit_code,
        {% for column in distincts | map(attribute='column') | unique %}
        fact.{{ column }},
        {% endfor %}
        {{ 'fact.decision_id,' if decided else 'cast(null as string) as decision_id,' }}
        {% for measure in counts %}
        case when {{ measure_rows(measure, measure.filter, in_window=true) }} then {{ 2 ** loop.index0 }} else 0 end
        {{ '+' if not loop.last }}
        {% else %}
        0
        {% endfor %} as marks
    from fact
    inner join places
        on fact.unit_code = places.place_unit_code
        and fact.delivery_id = places.delivery_id
        and fact.sheet is not distinct from places.sheet

),

-- The bit of each measure that counts rows.
bits as (

    {% if counts %}
    select * from (
        values
        {% for measure in counts %}
        ({{ measures.index(measure) }}, {{ 2 ** loop.index0 }}, {{ measure.aggregation == 'count_distinct' }}, {{ measure in decided }}){{ ',' if not loop.last }}
        {% endfor %}
    ) as bits (measure_no, bit, is_distinct, names_decision)
    {% else %}
    select 0 as measure_no, 0 as bit, false as is_distinct, false as names_decision where false
    {% endif %}

),

combinations as (

    select
        occurring.marks,
        bits.measure_no,
        bits.is_distinct,
        bits.names_decision
    from (select distinct marks from marked) as occurring
    inner join bits on (occurring.marks & bits.bit) <> 0

),

-- The first row of each distinct value; rows without a value count nothing.
firsts as (

    {% for column in distincts | map(attribute='column') | unique %}
    {% set numbers = [] %}
    {% for measure in distincts if measure.column == column %}{% do numbers.append(measures.index(measure)) %}{% endfor %}
    select combinations.measure_no, min(marked.position) as position
    from marked
    inner join combinations
        on marked.marks = combinations.marks and combinations.measure_no in ({{ numbers | join(', ') }})
    where marked.{{ column }} is not null
    group by combinations.measure_no, marked.unit_code, marked.{{ column }}
    {% if not loop.last %}union all{% endif %}
    {% else %}
    select 0 as measure_no, cast(null as bigint) as position where false
    {% endfor %}

),

contributions as (

    select
        combinations.measure_no,
        marked.place_no,
        marked.row_number,
        case when combinations.names_decision then marked.decision_id end as decision_id,
        cast(case when combinations.is_distinct and firsts.position is null then 0 else 1 end as decimal(18, 4)) as amount
    from marked
    inner join combinations on marked.marks = combinations.marks
    left join firsts on combinations.measure_no = firsts.measure_no and marked.position = firsts.position
    {% for measure in sums %}

    union all

    select
        {{ measures.index(measure) }} as measure_no,
        places.place_no,
        fact.row_number,
        cast(null as string) as decision_id,
        coalesce(cast({{ measure.column }} as decimal(18, 4)), 0) as amount
    from fact
    inner join places
        on fact.unit_code = places.place_unit_code
        and fact.delivery_id = places.delivery_id
        and fact.sheet is not distinct from places.sheet
    where {{ measure_rows(measure, measure.filter, in_window=true) }}
    {% endfor %}

),

-- Neighbouring rows that contribute alike share the difference of row number and rank.
islands as (

    select
        *,
        row_number
        - row_number() over (partition by measure_no, place_no, amount, decision_id order by row_number) as island
    from contributions

),

ranges as (

    select
        measure_no,
        place_no,
        amount,
        decision_id,
        min(row_number) as first_row,
        max(row_number) as last_row
    from islands
    group by measure_no, place_no, amount, decision_id, island

)

select
    places.place_unit_code as unit_code,
    places.quarter,
    case ranges.measure_no
        {% for measure in measures %}
        when {{ loop.index0 }} then '{{ measure.id }}'
        {% endfor %}
    end as figure,
    places.delivery_id,
    places.sheet,
    ranges.amount as amount_each,
    ranges.decision_id,
    {{ joined_in_order(row_range('ranges.first_row', 'ranges.last_row'), 'ranges.first_row') }} as row_numbers,
    sum(ranges.last_row - ranges.first_row + 1) as row_count
from ranges
inner join places on ranges.place_no = places.place_no
group by
    places.place_unit_code,
    places.quarter,
    ranges.measure_no,
    places.delivery_id,
    places.sheet,
    ranges.amount,
    ranges.decision_id
{% endmacro %}

{# Place in the total order of a fact's rows as one whole number. No sheet has 2^32 rows. #}
{% macro row_position(place_no, row_number) -%}
    {{ place_no }} * 4294967296 + {{ row_number }}
{%- endmacro %}

{# "6-120" or, of one row, "122". #}
{% macro row_range(first_row, last_row) -%}
    case when {{ first_row }} = {{ last_row }} then cast({{ first_row }} as string) else {{ first_row }} || '-' || {{ last_row }} end
{%- endmacro %}
