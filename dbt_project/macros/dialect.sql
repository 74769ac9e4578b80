{#
    Everything that differs between SQL dialects, and nothing else. Models call these macros; an engine beside DuckDB
    adds its own `<engine>__<macro>` here and no model changes. What both read alike is written as it is: `string` for
    text, `trim(trailing … from …)`, `nulls last` where a column that may be null puts rows in ascending order (DuckDB
    has nulls last, Spark first), `round()` before a cast to a whole number (DuckDB rounds, Spark cuts off).

    Spark is to read texts as they are written (`spark.sql.parser.escapedStringLiterals`), so patterns are the same in
    both.
#}

{# A text as SQL writes it; null for none. #}
{% macro text_literal(text) %}{{ return(adapter.dispatch('text_literal')(text)) }}{% endmacro %}
{% macro duckdb__text_literal(text) -%}
    {{ "'" ~ (text | replace("'", "''")) ~ "'" if text else 'cast(null as string)' }}
{%- endmacro %}
{% macro spark__text_literal(text) -%}
    {{ "concat('" ~ (text | replace("'", "', \"'\", '")) ~ "')" if text else 'cast(null as string)' }}
{%- endmacro %}

{# A list of text holds a value. #}
{% macro list_has(list, value) %}{{ return(adapter.dispatch('list_has')(list, value)) }}{% endmacro %}
{% macro duckdb__list_has(list, value) %}list_contains({{ list }}, {{ value }}){% endmacro %}
{% macro spark__list_has(list, value) %}array_contains({{ list }}, {{ value }}){% endmacro %}

{# A list of one. #}
{% macro list_of(value) %}{{ return(adapter.dispatch('list_of')(value)) }}{% endmacro %}
{% macro duckdb__list_of(value) %}[{{ value }}]{% endmacro %}
{% macro spark__list_of(value) %}array({{ value }}){% endmacro %}

{# The pieces of a text between what a regular expression matches, as a list. #}
{% macro split_at(text, pattern) %}{{ return(adapter.dispatch('split_at')(text, pattern)) }}{% endmacro %}
{% macro duckdb__split_at(text, pattern) %}regexp_split_to_array({{ text }}, '{{ pattern }}'){% endmacro %}
{% macro spark__split_at(text, pattern) %}split({{ text }}, '{{ pattern }}'){% endmacro %}

{# In a select list: one row for each item of a list; none where it is null or empty. #}
{% macro each_of(list) %}{{ return(adapter.dispatch('each_of')(list)) }}{% endmacro %}
{% macro duckdb__each_of(list) %}unnest({{ list }}){% endmacro %}
{% macro spark__each_of(list) %}explode({{ list }}){% endmacro %}

{# Aggregate or window function: the values of a group as a list, in no order. #}
{% macro collected(value) %}{{ return(adapter.dispatch('collected')(value)) }}{% endmacro %}
{% macro duckdb__collected(value) %}list({{ value }}){% endmacro %}
{% macro spark__collected(value) %}collect_list({{ value }}){% endmacro %}

{# The texts of a list in their order, each once. #}
{% macro joined_once(list, separator) %}{{ return(adapter.dispatch('joined_once')(list, separator)) }}{% endmacro %}
{% macro duckdb__joined_once(list, separator) %}array_to_string(list_sort(list_distinct({{ list }})), '{{ separator }}'){% endmacro %}
{% macro spark__joined_once(list, separator) %}array_join(array_sort(array_distinct({{ list }})), '{{ separator }}'){% endmacro %}

{# The first few texts of a group in their order. #}
{% macro first_in_order(text, number, separator) %}{{ return(adapter.dispatch('first_in_order')(text, number, separator)) }}{% endmacro %}
{% macro duckdb__first_in_order(text, number, separator) %}
    array_to_string(list({{ text }} order by {{ text }})[1:{{ number }}], '{{ separator }}')
{% endmacro %}
{% macro spark__first_in_order(text, number, separator) %}
    array_join(slice(array_sort(collect_list({{ text }})), 1, {{ number }}), '{{ separator }}')
{% endmacro %}

{# Whether the columns of a row, together, are those of some row of a relation. #}
{% macro is_among(columns, relation) %}{{ return(adapter.dispatch('is_among')(columns, relation)) }}{% endmacro %}
{% macro duckdb__is_among(columns, relation) -%}
    ({{ columns | join(', ') }}) in (select (those.{{ columns | join(', those.') }}) from {{ relation }} as those)
{%- endmacro %}
{% macro spark__is_among(columns, relation) -%}
    ({{ columns | join(', ') }}) in (select those.{{ columns | join(', those.') }} from {{ relation }} as those)
{%- endmacro %}

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

{# The texts of a group joined in the order of a column; null where there are none. #}
{% macro joined_in_order(text, by, separator=',') %}{{ return(adapter.dispatch('joined_in_order')(text, by, separator)) }}{% endmacro %}
{% macro duckdb__joined_in_order(text, by, separator) %}string_agg({{ text }}, '{{ separator }}' order by {{ by }}){% endmacro %}
{% macro spark__joined_in_order(text, by, separator) %}
    case when count({{ text }}) > 0 then
        array_join(transform(array_sort(collect_list(struct({{ by }} as place, {{ text }} as word))), item -> item.word), '{{ separator }}')
    end
{% endmacro %}

{# Whether a regular expression matches anywhere in a text. #}
{% macro matches_pattern(text, pattern) %}{{ return(adapter.dispatch('matches_pattern')(text, pattern)) }}{% endmacro %}
{% macro duckdb__matches_pattern(text, pattern) %}regexp_matches({{ text }}, '{{ pattern }}'){% endmacro %}
{% macro spark__matches_pattern(text, pattern) %}({{ text }} rlike '{{ pattern }}'){% endmacro %}

{# What a regular expression first matches in a text; null where nowhere. Backslashes are doubled, as Jinja reads them. #}
{% macro first_match(text, pattern) %}nullif(regexp_extract({{ text }}, '{{ pattern }}', 0), ''){% endmacro %}

{# A text without what a regular expression first matches in it. #}
{% macro without_first(text, pattern) %}{{ return(adapter.dispatch('without_first')(text, pattern)) }}{% endmacro %}
{% macro duckdb__without_first(text, pattern) %}regexp_replace({{ text }}, '{{ pattern }}', ''){% endmacro %}
{% macro spark__without_first(text, pattern) %}regexp_replace({{ text }}, '(?s)^(.*?)(?:{{ pattern }})', '$1'){% endmacro %}

{# The day a number of days after a date. #}
{% macro days_after(day, number) %}{{ return(adapter.dispatch('days_after')(day, number)) }}{% endmacro %}
{% macro duckdb__days_after(day, number) %}({{ day }} + {{ number }}){% endmacro %}
{% macro spark__days_after(day, number) %}date_add({{ day }}, {{ number }}){% endmacro %}

{# First day of a date's month. #}
{% macro first_of_month(day) %}{{ return(adapter.dispatch('first_of_month')(day)) }}{% endmacro %}
{% macro duckdb__first_of_month(day) %}cast(date_trunc('month', {{ day }}) as date){% endmacro %}
{% macro spark__first_of_month(day) %}cast(trunc({{ day }}, 'MM') as date){% endmacro %}

{# The year after the last "năm" of a text; null where none is named. #}
{% macro year_named(text) %}
    cast(nullif(regexp_extract(lower({{ text }}), '.*năm\s+(20[0-9]{2})', 1), '') as integer)
{% endmacro %}

{# The last date d/m/yyyy (or with dashes or dots) of a text; null where none is written or it is no date. #}
{% macro last_date_in(text) %}{{ return(adapter.dispatch('last_date_in')(text)) }}{% endmacro %}
{% macro duckdb__last_date_in(text) %}
    cast(try_strptime({{ last_date_written(text) }}, '%d/%m/%Y') as date)
{% endmacro %}
{% macro spark__last_date_in(text) %}
    try_to_date({{ last_date_written(text) }}, 'd/M/yyyy')
{% endmacro %}
{% macro last_date_written(text) -%}
    replace(replace(
        regexp_extract({{ text }}, '.*[^0-9]([0-3]?[0-9][/.-][01]?[0-9][/.-]20[0-9]{2})', 1), '.', '/'), '-', '/')
{%- endmacro %}

{# The statement that writes a relation to one Parquet file, rows in the order of all columns from left to right. Spark
   leaves a table as a folder of files, for each worker writes its own: whoever had it built makes the one file of them,
   with DuckDB's statement (`orchestration/spark.py`). #}
{% macro write_parquet(relation, path) %}{{ return(adapter.dispatch('write_parquet')(relation, path)) }}{% endmacro %}
{% macro duckdb__write_parquet(relation, path) %}
    copy (select * from {{ relation }} order by all) to '{{ path }}' (format parquet, compression zstd)
{% endmacro %}
{% macro spark__write_parquet(relation, path) %}{% endmacro %}

{# Before a build: where the sources of deliveries are no expressions that a query can hold, tables over their files. #}
{% macro open_sources() %}{{ return(adapter.dispatch('open_sources')()) }}{% endmacro %}
{% macro duckdb__open_sources() %}{% endmacro %}
{% macro spark__open_sources() %}
    {% if execute %}
        {% set raw = env_var('CCHC_RAW', '../data/raw') %}
        {% set warehouse = env_var('CCHC_WAREHOUSE', '../data/warehouse') %}
        {% if not modules.re.match('/|[a-z0-9]+:', raw) or not modules.re.match('/|[a-z0-9]+:', warehouse) %}
            {% do exceptions.raise_compiler_error('Spark needs CCHC_RAW and CCHC_WAREHOUSE as whole paths') %}
        {% endif %}
        {% for source in graph.sources.values() %}
            {% if source.source_name == 'raw' %}
                {% set files = "parquet options (path '" ~ raw ~ '/lake/source=' ~ source.name ~ "', mergeSchema 'true', recursiveFileLookup 'true', pathGlobFilter '*.parquet')" %}
            {% elif source.source_name == 'ledger' %}
                {% set files = "parquet options (path '" ~ raw ~ '/' ~ source.name ~ ".parquet')" %}
            {% else %}
                {% set files = "csv options (path '" ~ warehouse ~ '/' ~ source.name ~ ".csv', header 'true', multiLine 'true', escape '\"')" %}
            {% endif %}
            {% do run_query('create schema if not exists ' ~ source.schema) %}
            {% do run_query('drop table if exists ' ~ source.schema ~ '.' ~ source.identifier) %}
            {% do run_query('create table ' ~ source.schema ~ '.' ~ source.identifier ~ ' using ' ~ files) %}
        {% endfor %}
    {% endif %}
{% endmacro %}

{# What a type that contracts and seeds name is called by Spark. #}
{% macro spark_type(data_type) -%}
    {{ {'varchar': 'string', 'timestamp': 'timestamp_ntz'}.get(data_type, data_type) }}
{%- endmacro %}

{# The columns that a contract promises, as a query without rows. #}
{% macro spark__get_empty_schema_sql(columns) %}
    select
    {% for column in columns.values() %}
        cast(null as {{ spark_type(column.data_type) }}) as {{ column.name }}{{ ',' if not loop.last }}
    {% endfor %}
    where false
{% endmacro %}

{# Tables of Parquet files hold no constraints, so they are asked for once a table is made: one look at all of them. #}
{% macro spark__persist_constraints(relation, model) %}
    {% if config.get('contract').enforced %}
        {% set broken = [] %}
        {% for column in model.columns.values() %}
            {% for constraint in column.constraints %}
                {% set rule = column.name ~ ' is not null' if constraint.type == 'not_null' else constraint.expression %}
                {% do broken.append("sum(case when not (" ~ rule ~ ") then 1 else 0 end) as `" ~ column.name ~ ': ' ~ loop.index ~ "`") %}
            {% endfor %}
        {% endfor %}
        {% for constraint in model.constraints %}
            {% do broken.append("sum(case when not (" ~ constraint.expression ~ ") then 1 else 0 end) as `" ~ loop.index ~ "`") %}
        {% endfor %}
        {% if broken %}
            {% set found = run_query('select ' ~ broken | join(', ') ~ ' from ' ~ relation) %}
            {% for name in found.column_names %}
                {% if found.columns[loop.index0][0] %}
                    {% do exceptions.raise_compiler_error(
                        relation ~ ' breaks its contract: ' ~ found.columns[loop.index0][0] ~ ' rows, column and constraint ' ~ name
                    ) %}
                {% endif %}
            {% endfor %}
        {% endif %}
    {% endif %}
{% endmacro %}

{# Seeds: the rows of a file as one text each few thousand, read where the statement is made, so that no worker needs
   the project's files, and ten thousand rows are no ten thousand expressions to compile. #}
{% macro spark__create_csv_table(model, agate_table) %}
    {% set types = model.config.column_types %}
    {% set sql %}
        create table {{ this }} (
        {% for name in agate_table.column_names %}
            {{ name }} {{ spark_type(types[name]) }}{{ ',' if not loop.last }}
        {% endfor %}
        ) using parquet
    {% endset %}
    {% call statement('_') %}{{ sql }}{% endcall %}
    {{ return(sql) }}
{% endmacro %}
{% macro spark__load_csv_rows(model, agate_table) %}
    {% set types = model.config.column_types %}
    {% set fields = [] %}
    {% for name in agate_table.column_names %}{% do fields.append(name ~ ': string') %}{% endfor %}
    {% for chunk in agate_table.rows | batch(5000) %}
        {% set rows = [] %}
        {% for row in chunk %}{% do rows.append(dict(zip(agate_table.column_names, row.values()))) %}{% endfor %}
        {% set sql %}
            insert into {{ this }}
            select
            {% for name in agate_table.column_names %}
                cast({{ name }} as {{ spark_type(types[name]) }}){{ ',' if not loop.last }}
            {% endfor %}
            from (select inline(from_json('{{ tojson(rows) | replace("'", "\\u0027") }}', 'array<struct<{{ fields | join(', ') }}>>')))
        {% endset %}
        {% do adapter.add_query(sql, abridge_sql_log=True) %}
    {% endfor %}
    {{ return('') }}
{% endmacro %}
