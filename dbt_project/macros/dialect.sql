{#
    Everything that differs between SQL dialects, and nothing else. Models call these macros; an engine beside DuckDB
    adds its own `<engine>__<macro>` here and no model changes. What engines read alike is written as it is: `string`
    for text, `trim(trailing … from …)`, `nulls last` where a column that may be null puts rows in ascending order,
    `round()` before a cast to a whole number (DuckDB rounds, others cut off).
#}

{# A text as SQL writes it; null for none. #}
{% macro text_literal(text) %}{{ return(adapter.dispatch('text_literal')(text)) }}{% endmacro %}
{% macro duckdb__text_literal(text) -%}
    {{ "'" ~ (text | replace("'", "''")) ~ "'" if text else 'cast(null as string)' }}
{%- endmacro %}

{# A list of text holds a value. #}
{% macro list_has(list, value) %}{{ return(adapter.dispatch('list_has')(list, value)) }}{% endmacro %}
{% macro duckdb__list_has(list, value) %}list_contains({{ list }}, {{ value }}){% endmacro %}

{# A list of one. #}
{% macro list_of(value) %}{{ return(adapter.dispatch('list_of')(value)) }}{% endmacro %}
{% macro duckdb__list_of(value) %}[{{ value }}]{% endmacro %}

{# The pieces of a text between what a regular expression matches, as a list. #}
{% macro split_at(text, pattern) %}{{ return(adapter.dispatch('split_at')(text, pattern)) }}{% endmacro %}
{% macro duckdb__split_at(text, pattern) %}regexp_split_to_array({{ text }}, '{{ pattern }}'){% endmacro %}

{# In a select list: one row for each item of a list; none where it is null or empty. #}
{% macro each_of(list) %}{{ return(adapter.dispatch('each_of')(list)) }}{% endmacro %}
{% macro duckdb__each_of(list) %}unnest({{ list }}){% endmacro %}

{# Aggregate or window function: the values of a group as a list, in no order. #}
{% macro collected(value) %}{{ return(adapter.dispatch('collected')(value)) }}{% endmacro %}
{% macro duckdb__collected(value) %}list({{ value }}){% endmacro %}

{# The texts of a list in their order, each once. #}
{% macro joined_once(list, separator) %}{{ return(adapter.dispatch('joined_once')(list, separator)) }}{% endmacro %}
{% macro duckdb__joined_once(list, separator) %}array_to_string(list_sort(list_distinct({{ list }})), '{{ separator }}'){% endmacro %}

{# The first few texts of a group in their order. #}
{% macro first_in_order(text, number, separator) %}{{ return(adapter.dispatch('first_in_order')(text, number, separator)) }}{% endmacro %}
{% macro duckdb__first_in_order(text, number, separator) %}
    array_to_string(list({{ text }} order by {{ text }})[1:{{ number }}], '{{ separator }}')
{% endmacro %}

{# Whether the columns of a row, together, are those of some row of a relation. #}
{% macro is_among(columns, relation) %}{{ return(adapter.dispatch('is_among')(columns, relation)) }}{% endmacro %}
{% macro duckdb__is_among(columns, relation) -%}
    ({{ columns | join(', ') }}) in (select (those.{{ columns | join(', those.') }}) from {{ relation }} as those)
{%- endmacro %}

{# A whole number that is equal for equal values of the columns, nulls included; different values rarely share it. #}
{% macro row_hash(columns) %}{{ return(adapter.dispatch('row_hash')(columns)) }}{% endmacro %}
{% macro duckdb__row_hash(columns) %}hash({{ columns }}){% endmacro %}

{# Integer quotient of two non-negative whole numbers, rounded down. #}
{% macro whole_quotient(dividend, divisor) %}{{ return(adapter.dispatch('whole_quotient')(dividend, divisor)) }}{% endmacro %}
{% macro duckdb__whole_quotient(dividend, divisor) %}(({{ dividend }}) // ({{ divisor }})){% endmacro %}

{# Whole numbers too large for bigint: intermediate products of ratios. #}
{% macro wide_integer() %}{{ return(adapter.dispatch('wide_integer')()) }}{% endmacro %}
{% macro duckdb__wide_integer() %}hugeint{% endmacro %}

{# One row a day in the column `day`, both ends included. #}
{% macro days_between(first, last) %}{{ return(adapter.dispatch('days_between')(first, last)) }}{% endmacro %}
{% macro duckdb__days_between(first, last) %}
    select cast(unnest(generate_series(date '{{ first }}', date '{{ last }}', interval 1 day)) as date) as day
{% endmacro %}

{# Day of the week of a date: 1 Monday to 7 Sunday. #}
{% macro iso_weekday(day) %}{{ return(adapter.dispatch('iso_weekday')(day)) }}{% endmacro %}
{% macro duckdb__iso_weekday(day) %}isodow({{ day }}){% endmacro %}

{# A date as dd/mm/yyyy. #}
{% macro printed_date(day) %}{{ return(adapter.dispatch('printed_date')(day)) }}{% endmacro %}
{% macro duckdb__printed_date(day) %}strftime({{ day }}, '%d/%m/%Y'){% endmacro %}

{# The texts of a group joined in the order of a column; null where there are none. #}
{% macro joined_in_order(text, by, separator=',') %}{{ return(adapter.dispatch('joined_in_order')(text, by, separator)) }}{% endmacro %}
{% macro duckdb__joined_in_order(text, by, separator) %}string_agg({{ text }}, '{{ separator }}' order by {{ by }}){% endmacro %}

{# Whether a regular expression matches anywhere in a text. #}
{% macro matches_pattern(text, pattern) %}{{ return(adapter.dispatch('matches_pattern')(text, pattern)) }}{% endmacro %}
{% macro duckdb__matches_pattern(text, pattern) %}regexp_matches({{ text }}, '{{ pattern }}'){% endmacro %}

{# What a regular expression first matches in a text; null where nowhere. Backslashes are doubled, as Jinja reads them. #}
{% macro first_match(text, pattern) %}nullif(regexp_extract({{ text }}, '{{ pattern }}', 0), ''){% endmacro %}

{# A text without what a regular expression first matches in it. #}
{% macro without_first(text, pattern) %}{{ return(adapter.dispatch('without_first')(text, pattern)) }}{% endmacro %}
{% macro duckdb__without_first(text, pattern) %}regexp_replace({{ text }}, '{{ pattern }}', ''){% endmacro %}

{# The day a number of days after a date. #}
{% macro days_after(day, number) %}{{ return(adapter.dispatch('days_after')(day, number)) }}{% endmacro %}
{% macro duckdb__days_after(day, number) %}({{ day }} + {{ number }}){% endmacro %}

{# First day of a date's month. #}
{% macro first_of_month(day) %}{{ return(adapter.dispatch('first_of_month')(day)) }}{% endmacro %}
{% macro duckdb__first_of_month(day) %}cast(date_trunc('month', {{ day }}) as date){% endmacro %}

{# The year after the last "năm" of a text; null where none is named. #}
{% macro year_named(text) %}
    cast(nullif(regexp_extract(lower({{ text }}), '.*năm\s+(20[0-9]{2})', 1), '') as integer)
{% endmacro %}

{# The last date d/m/yyyy (or with dashes or dots) of a text; null where none is written or it is no date. #}
{% macro last_date_in(text) %}{{ return(adapter.dispatch('last_date_in')(text)) }}{% endmacro %}
{% macro duckdb__last_date_in(text) %}
    cast(try_strptime({{ last_date_written(text) }}, '%d/%m/%Y') as date)
{% endmacro %}
{% macro last_date_written(text) -%}
    replace(replace(
        regexp_extract({{ text }}, '.*[^0-9]([0-3]?[0-9][/.-][01]?[0-9][/.-]20[0-9]{2})', 1), '.', '/'), '-', '/')
{%- endmacro %}

{# The statement that writes a relation to one Parquet file, rows in the order of all columns from left to right. #}
{% macro write_parquet(relation, path) %}{{ return(adapter.dispatch('write_parquet')(relation, path)) }}{% endmacro %}
{% macro duckdb__write_parquet(relation, path) %}
    copy (select * from {{ relation }} order by all) to '{{ path }}' (format parquet, compression zstd)
{% endmacro %}
