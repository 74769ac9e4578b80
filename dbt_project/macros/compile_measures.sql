{#
    Compiles the measures declared in a model's yml (config.meta.measures) into one scan of their fact and a long table,
    one row a measure, reporting unit and quarter. macros/figure_rows.sql compiles the same declarations into the rows
    behind each measure, macros/dim_measure.sql into words.

    A declaration:
      id           name of the measure, unique in the project
      description  what is counted; description_vi says it in Vietnamese, as the figure's passport does
      filter       condition on the fact's columns; left out: every row
      aggregation  count | count_distinct | sum; the last two over `column`
      window       in_period | year_to_date | at_closing. With `date`, the rows whose date lies in the quarter's window,
                   or in the year's up to closing; without, the filter itself speaks of the window.
      adds_up      false: figures of periods are never added, since what is counted in one may be counted in the next
                   again (a procedure used in each, a task still not done), or since the period decides what counts
                   (cases of the procedures that were used online in it: a case of the first quarter, of a procedure
                   used online in the second only, counts in the half-year and in neither quarter)
      level        district | commune | own | all: whose rows, and which units are expected to report. A row of the form
                   that names no level speaks of the unit that reports: own
      requires     {among, given, given_vi}: where there are rows in `among` and none of them is `given`, the offices
                   left the cells blank and the measure is not reported; given_vi names what they did not say
      requires_measure  a measure that must be reported for this one to be
      counts_by_decision  true: rows with a decision_id are counted because of it
      rows_at_closing  column of the fact: only its rows tell how things stood at closing

    `folder_column` beside the measures names the column with the period of a row's folder, where a longer period is
    counted from the folders of its quarters: an office that left its cells blank for one of them left the whole open.

    Absence is not a value: which columns of the contracts a measure needs is read from its own SQL
    (macros/measure_columns.sql). Where a file with rows of the measure's level lacks one of them the measure is not
    reported; files_asked and files_giving tell how many there were.
#}
{% macro compile_measures(fact, unit_column) %}
    {% if execute %}
        {% set meta = model.config.meta %}
        {{ long_table(fact, unit_column, meta) }}
    {% else %}
        select * from {{ fact }}
        cross join {{ ref('int_coverage') }}
        cross join {{ ref('stg_deliveries__deliveries') }}
        cross join {{ ref('int_units') }}
        cross join {{ ref('int_reporting_units') }}
        cross join {{ ref('int_report_deliveries') }}
    {% endif %}
{% endmacro %}

{% macro long_table(fact, unit_column, meta) %}
{% set source = meta.source %}
{% set measures = meta.measures %}
{% set given_of = 'units_given' if meta.folder_column else 'totals' %}
{# What is asked of the files: the rows that ask (a level), the columns of their own file, and those of other sources. #}
{% set demands = [] %}
{% set asking = [] %}
{% set elsewhere = [] %}
{% set demand_of = {} %}
{% for measure in measures %}
    {% set needs = measure_needs(measure, meta) %}
    {% set own = needs | selectattr('source', 'equalto', source) | list %}
    {% set other = needs | rejectattr('source', 'equalto', source) | list %}
    {% set rows = measure_rows(measure, none) %}
    {% if rows not in asking %}{% do asking.append(rows) %}{% endif %}
    {% for need in other if need not in elsewhere %}{% do elsewhere.append(need) %}{% endfor %}
    {% set demand = {'rows': rows, 'own': own, 'other': other} %}
    {% if demand not in demands %}{% do demands.append(demand) %}{% endif %}
    {% do demand_of.update({measure.id: demands.index(demand)}) %}
{% endfor %}
with totals as (

    select
        unit_code,
        quarter,
        {% for measure in measures %}
        {{ measure_aggregate(measure) }} as value_{{ loop.index }},
        {% if measure.requires %}
        count(*) filter (where {{ measure_rows(measure, measure.requires.among) }}) as among_{{ loop.index }},
        count(distinct {{ unit_column }}) filter (
            where {{ measure_rows(measure, measure.requires.among) }}
        ) as asked_{{ loop.index }},
        {% if not meta.folder_column %}
        count(distinct {{ unit_column }}) filter (
            where {{ measure_rows(measure, measure.requires.among) }} and ({{ measure.requires.given }})
        ) as given_{{ loop.index }},
        {% endif %}
        {% endif %}
        {% endfor %}
        count(*) as rows_in_fact
    from {{ fact }}
    group by unit_code, quarter

),

{% if meta.folder_column %}
-- Whether a unit said in each folder what a measure requires. Null: nothing was asked of it there.
said_in_folder as (

    select
        unit_code,
        quarter,
        {{ unit_column }} as unit_of_rows,
        {{ meta.folder_column }} as folder_quarter
        {%- for measure in measures if measure.requires %},
        bool_or({{ measure.requires.given }}) filter (
            where {{ measure_rows(measure, measure.requires.among) }}
        ) as said_{{ measures.index(measure) + 1 }}
        {%- endfor %}
    from {{ fact }}
    group by unit_code, quarter, {{ unit_column }}, {{ meta.folder_column }}

),

said as (

    select
        unit_code,
        quarter,
        unit_of_rows
        {%- for measure in measures if measure.requires %},
        bool_and(said_{{ measures.index(measure) + 1 }}) as said_{{ measures.index(measure) + 1 }}
        {%- endfor %}
    from said_in_folder
    group by unit_code, quarter, unit_of_rows

),

units_given as (

    select
        unit_code,
        quarter
        {%- for measure in measures if measure.requires %},
        count(*) filter (where said_{{ measures.index(measure) + 1 }}) as given_{{ measures.index(measure) + 1 }}
        {%- endfor %}
    from said
    group by unit_code, quarter

),

{% endif %}
-- The files behind the fact, each with the columns it has, by the unit whose rows they are.
files as (

    select
        rows_of_files.*,
        deliveries.columns_mapped
    from (
        select
            unit_code,
            quarter,
            delivery_id,
            {{ unit_column }} as unit_of_rows
            {%- for rows in asking %},
            max(case when {{ rows }} then 1 else 0 end) as asks_{{ loop.index0 }}
            {%- endfor %}
        from {{ fact }}
        group by unit_code, quarter, delivery_id, {{ unit_column }}
    ) as rows_of_files
    inner join {{ ref('stg_deliveries__deliveries') }} as deliveries
        on rows_of_files.delivery_id = deliveries.delivery_id

),

given as (

    select
        unit_code,
        quarter
        {%- for demand in demands %}
        {%- set asks = 'asks_' ~ asking.index(demand.rows) ~ ' = 1' %},
        count(distinct case when {{ asks }} then delivery_id end) as files_{{ loop.index0 }},
        count(distinct case when {{ asks }} and {{ has_columns(demand.own) }} then delivery_id end)
            as giving_{{ loop.index0 }},
        count(distinct case when {{ asks }} and {{ has_columns(demand.own) }} then unit_of_rows end)
            as units_{{ loop.index0 }}
        {%- endfor %}
    from files
    group by unit_code, quarter

),

-- Columns of other sources: somebody sent them, and no file with rows lacks them.
given_elsewhere as (

    select
        folders.reporting_unit_code as unit_code,
        made_from.report_quarter as quarter
        {%- for need in elsewhere %},
        count(*) filter (where deliveries.source = '{{ need.source }}') > 0
        and count(*) filter (
            where deliveries.source = '{{ need.source }}'
            and deliveries.rows_accepted > 0
            and not {{ has_columns([need]) }}
        ) = 0 as elsewhere_{{ loop.index0 }}
        {%- endfor %}
    from {{ ref('stg_deliveries__deliveries') }} as deliveries
    inner join {{ ref('int_report_deliveries') }} as made_from on deliveries.delivery_id = made_from.delivery_id
    inner join {{ ref('int_units') }} as folders
        on deliveries.quarter = folders.quarter and deliveries.delivering_unit_code = folders.unit_code
    where deliveries.outcome <> 'refused'
    group by folders.reporting_unit_code, made_from.report_quarter

),

declared as (

    {% for measure in measures %}
    select
        {{ loop.index }} as measure_no,
        {{ demand_of[measure.id] }} as demand_no,
        '{{ measure.id }}' as measure,
        '{{ measure.level }}' as measure_level,
        {{ "'" ~ measure.requires_measure ~ "'" if measure.requires_measure else 'cast(null as string)' }} as requires_measure
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

long as (

    select
        coverage.unit_code,
        coverage.quarter,
        declared.measure,
        declared.requires_measure,
        coverage.units_counted as units_covered,
        coverage.units_expected,
        case declared.measure_no
            {% for measure in measures %}
            when {{ loop.index }} then totals.value_{{ loop.index }}
            {% endfor %}
        end as value,
        -- Null: the measure asks for nothing beyond the delivery itself.
        case declared.measure_no
            when 0 then cast(null as bigint)
            {% for measure in measures if measure.requires %}
            when {{ measures.index(measure) + 1 }} then
                case when totals.among_{{ measures.index(measure) + 1 }} > 0 then {{ given_of }}.given_{{ measures.index(measure) + 1 }} end
            {% endfor %}
        end as units_given,
        case declared.measure_no
            when 0 then cast(null as bigint)
            {% for measure in measures if measure.requires %}
            when {{ measures.index(measure) + 1 }} then
                totals.asked_{{ measures.index(measure) + 1 }} - {{ given_of }}.given_{{ measures.index(measure) + 1 }}
            {% endfor %}
        end as units_silent,
        {% for what in ['files', 'giving', 'units'] %}
        coalesce(case declared.demand_no
            {% for demand in demands %}
            when {{ loop.index0 }} then given.{{ what }}_{{ loop.index0 }}
            {% endfor %}
        end, 0) as {{ {'files': 'files_asked', 'giving': 'files_giving', 'units': 'units_giving'}[what] }},
        {% endfor %}
        case declared.demand_no
            when -1 then true
            {% for demand in demands if demand.other %}
            when {{ demands.index(demand) }} then
                {% for need in demand.other %}
                coalesce(given_elsewhere.elsewhere_{{ elsewhere.index(need) }}, false) {{ 'and' if not loop.last }}
                {% endfor %}
            {% endfor %}
            else true
        end as is_given_elsewhere
    from {{ ref('int_coverage') }} as coverage
    inner join declared on coverage.measure_level = declared.measure_level
    left join totals on coverage.unit_code = totals.unit_code and coverage.quarter = totals.quarter
    {% if meta.folder_column %}
    left join units_given
        on coverage.unit_code = units_given.unit_code and coverage.quarter = units_given.quarter
    {% endif %}
    left join given on coverage.unit_code = given.unit_code and coverage.quarter = given.quarter
    left join given_elsewhere
        on coverage.unit_code = given_elsewhere.unit_code and coverage.quarter = given_elsewhere.quarter
    where coverage.source = '{{ source }}'

)

select
    unit_code,
    quarter,
    measure,
    requires_measure,
    coalesce(cast(value as bigint), 0) as value,
    units_covered > 0
    and coalesce(units_given, 1) > 0
    and files_giving = files_asked
    and is_given_elsewhere as reported,
    case
        when units_covered = 0 then 0
        when files_giving < files_asked then least(cast(units_giving as integer), units_covered)
        when units_given is null then units_covered
        when units_given = 0 then 0
        -- A unit without rows that ask has left nothing open.
        else cast(greatest(units_covered - units_silent, least(units_given, units_covered)) as integer)
    end as units_counted,
    units_expected,
    cast(files_asked as integer) as files_asked,
    cast(files_giving as integer) as files_giving
from long
{% endmacro %}

{% macro measure_aggregate(measure) -%}
    {%- set rows = measure_rows(measure, measure.filter, in_window=true) -%}
    {%- if measure.aggregation == 'count' -%}
        count(*) filter (where {{ rows }})
    {%- elif measure.aggregation == 'count_distinct' -%}
        count(distinct {{ measure.column }}) filter (where {{ rows }})
    {%- elif measure.aggregation == 'sum' -%}
        sum({{ measure.column }}) filter (where {{ rows }})
    {%- else -%}
        {{ exceptions.raise_compiler_error('measure ' ~ measure.id ~ ': unknown aggregation ' ~ measure.aggregation) }}
    {%- endif -%}
{%- endmacro %}

{# The rows a measure is about: its level, a condition, and its window where it has a date. #}
{% macro measure_rows(measure, condition, in_window=false) -%}
    {%- set parts = [] -%}
    {%- if measure.level in ('district', 'commune') -%}{%- do parts.append("unit_level = '" ~ measure.level ~ "'") -%}
    {%- elif measure.level == 'own' -%}{%- do parts.append(is_own()) -%}
    {%- elif measure.level != 'all' -%}
        {{ exceptions.raise_compiler_error('measure ' ~ measure.id ~ ': unknown level ' ~ measure.level) }}
    {%- endif -%}
    {%- if condition -%}{%- do parts.append('(' ~ condition ~ ')') -%}{%- endif -%}
    {%- if measure.rows_at_closing -%}{%- do parts.append(measure.rows_at_closing) -%}{%- endif -%}
    {%- if measure.date and in_window -%}{%- do parts.append(measure_window(measure)) -%}{%- endif -%}
    {{- parts | join(' and ') if parts else 'true' -}}
{%- endmacro %}

{# Whether a row is of the unit that reports, and not of a commune below it. #}
{% macro is_own() -%}
    {{ is_among(['unit_code', 'unit_level'], ref('int_reporting_units')) }}
{%- endmacro %}

{% macro measure_window(measure) -%}
    {%- if measure.window == 'in_period' -%}
        {{ measure.date }} between opens_on and closes_on
    {%- elif measure.window == 'year_to_date' -%}
        {{ measure.date }} between year_opens_on and closes_on
    {%- else -%}
        {{ exceptions.raise_compiler_error('measure ' ~ measure.id ~ ': a date needs the window in_period or year_to_date') }}
    {%- endif -%}
{%- endmacro %}
