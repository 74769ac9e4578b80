{#
    Everything that differs between SQL dialects, and nothing else. Models call these macros; an engine beside DuckDB
    adds its own `<engine>__<macro>` here and no model changes.
#}

{# A list of text holds a value. #}
{% macro list_has(list, value) %}{{ return(adapter.dispatch('list_has')(list, value)) }}{% endmacro %}
{% macro duckdb__list_has(list, value) %}list_contains({{ list }}, {{ value }}){% endmacro %}
{% macro spark__list_has(list, value) %}array_contains({{ list }}, {{ value }}){% endmacro %}

{# A whole number that is equal for equal values of the columns, nulls included; different values rarely share it. #}
{% macro row_hash(columns) %}{{ return(adapter.dispatch('row_hash')(columns)) }}{% endmacro %}
{% macro duckdb__row_hash(columns) %}hash({{ columns }}){% endmacro %}
{% macro spark__row_hash(columns) %}xxhash64({{ columns }}){% endmacro %}

{# Integer quotient of two non-negative whole numbers, rounded down. #}
{% macro whole_quotient(dividend, divisor) %}{{ return(adapter.dispatch('whole_quotient')(dividend, divisor)) }}{% endmacro %}
{% macro duckdb__whole_quotient(dividend, divisor) %}(({{ dividend }}) // ({{ divisor }})){% endmacro %}
{% macro spark__whole_quotient(dividend, divisor) %}(({{ dividend }}) div ({{ divisor }})){% endmacro %}

{# Whole numbers too large for bigint: intermediate products of ratios. #}
{% macro wide_integer() %}{{ return(adapter.dispatch('wide_integer')()) }}{% endmacro %}
{% macro duckdb__wide_integer() %}hugeint{% endmacro %}
{% macro spark__wide_integer() %}decimal(38, 0){% endmacro %}

{# One row a day in the column `day`, both ends included. #}
{% macro days_between(first, last) %}{{ return(adapter.dispatch('days_between')(first, last)) }}{% endmacro %}
{% macro duckdb__days_between(first, last) %}
    select cast(unnest(generate_series(date '{{ first }}', date '{{ last }}', interval 1 day)) as date) as day
{% endmacro %}
{% macro spark__days_between(first, last) %}
    select explode(sequence(date '{{ first }}', date '{{ last }}', interval 1 day)) as day
{% endmacro %}

{# Day of the week of a date: 1 Monday to 7 Sunday. #}
{% macro iso_weekday(day) %}{{ return(adapter.dispatch('iso_weekday')(day)) }}{% endmacro %}
{% macro duckdb__iso_weekday(day) %}isodow({{ day }}){% endmacro %}
{% macro spark__iso_weekday(day) %}(weekday({{ day }}) + 1){% endmacro %}

{# A date as dd/mm/yyyy. #}
{% macro printed_date(day) %}{{ return(adapter.dispatch('printed_date')(day)) }}{% endmacro %}
{% macro duckdb__printed_date(day) %}strftime({{ day }}, '%d/%m/%Y'){% endmacro %}
{% macro spark__printed_date(day) %}date_format({{ day }}, 'dd/MM/yyyy'){% endmacro %}

{# The statement that writes a relation to one Parquet file, rows in the order of all columns from left to right. #}
{% macro write_parquet(relation, path) %}{{ return(adapter.dispatch('write_parquet')(relation, path)) }}{% endmacro %}
{% macro duckdb__write_parquet(relation, path) %}
    copy (select * from {{ relation }} order by all) to '{{ path }}' (format parquet, compression zstd)
{% endmacro %}

{# The texts of a group joined by commas, in the order of a column. #}
{% macro joined_in_order(text, by) %}{{ return(adapter.dispatch('joined_in_order')(text, by)) }}{% endmacro %}
{% macro duckdb__joined_in_order(text, by) %}string_agg({{ text }}, ',' order by {{ by }}){% endmacro %}
{% macro spark__joined_in_order(text, by) %}
    array_join(transform(array_sort(collect_list(struct({{ by }} as place, {{ text }} as word))), item -> item.word), ',')
{% endmacro %}

{# Whether a regular expression matches anywhere in a text. #}
{% macro matches_pattern(text, pattern) %}{{ return(adapter.dispatch('matches_pattern')(text, pattern)) }}{% endmacro %}
{% macro duckdb__matches_pattern(text, pattern) %}regexp_matches({{ text }}, '{{ pattern }}'){% endmacro %}
{% macro spark__matches_pattern(text, pattern) %}({{ text }} rlike r'{{ pattern }}'){% endmacro %}

{# What a regular expression first matches in a text; null where nowhere. Backslashes are doubled, as Jinja reads them. #}
{% macro first_match(text, pattern) %}{{ return(adapter.dispatch('first_match')(text, pattern)) }}{% endmacro %}
{% macro duckdb__first_match(text, pattern) %}nullif(regexp_extract({{ text }}, '{{ pattern }}'), ''){% endmacro %}
{% macro spark__first_match(text, pattern) %}nullif(regexp_extract({{ text }}, r'{{ pattern }}', 0), ''){% endmacro %}

{# The day a number of days after a date. #}
{% macro days_after(day, number) %}{{ return(adapter.dispatch('days_after')(day, number)) }}{% endmacro %}
{% macro duckdb__days_after(day, number) %}({{ day }} + {{ number }}){% endmacro %}
{% macro spark__days_after(day, number) %}date_add({{ day }}, {{ number }}){% endmacro %}

{# First day of a date's month. #}
{% macro first_of_month(day) %}{{ return(adapter.dispatch('first_of_month')(day)) }}{% endmacro %}
{% macro duckdb__first_of_month(day) %}cast(date_trunc('month', {{ day }}) as date){% endmacro %}
{% macro spark__first_of_month(day) %}cast(trunc({{ day }}, 'MM') as date){% endmacro %}

{# The year after the last "năm" of a text; null where none is named. #}
{% macro year_named(text) %}{{ return(adapter.dispatch('year_named')(text)) }}{% endmacro %}
{% macro duckdb__year_named(text) %}
    cast(nullif(regexp_extract(lower({{ text }}), '.*năm\s+(20[0-9]{2})', 1), '') as integer)
{% endmacro %}
{% macro spark__year_named(text) %}
    cast(nullif(regexp_extract(lower({{ text }}), '.*năm\\s+(20[0-9]{2})', 1), '') as integer)
{% endmacro %}

{# The last date d/m/yyyy (or with dashes or dots) of a text; null where none is written or it is no date. #}
{% macro last_date_in(text) %}{{ return(adapter.dispatch('last_date_in')(text)) }}{% endmacro %}
{% macro duckdb__last_date_in(text) %}
    cast(try_strptime(
        replace(replace(
            regexp_extract({{ text }}, '.*[^0-9]([0-3]?[0-9][/.-][01]?[0-9][/.-]20[0-9]{2})', 1), '.', '/'), '-', '/'),
        '%d/%m/%Y'
    ) as date)
{% endmacro %}
{% macro spark__last_date_in(text) %}
    to_date(
        replace(replace(
            regexp_extract({{ text }}, '.*[^0-9]([0-3]?[0-9][/.-][01]?[0-9][/.-]20[0-9]{2})', 1), '.', '/'), '-', '/'),
        'd/M/yyyy'
    )
{% endmacro %}
