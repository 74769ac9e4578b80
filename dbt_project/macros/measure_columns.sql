{#
    Which columns of the contracts a measure needs, read from the SQL of its declaration.

    Every name in the filter, the aggregated column, the date and `requires` that is a column of the fact stands for
    columns of the contracts: its own name, or what the fact's yml says under `config.meta.from`, the one place where it
    is said of what a column is derived. An item of `from` is `column` (of the measure's source), `source.column`, or
    several of one source of which one is enough (`finished_at|returned_at`). An empty list: of nothing a file may lack, such as a column that the title block may give.
#}

{# The fact's columns named in the SQL of a measure, in the order of the fact. #}
{% macro measure_columns(measure, meta) %}
    {% set declared = fact_columns(meta) %}
    {% set texts = [measure.filter, measure.column, measure.date] %}
    {% if measure.requires %}{% do texts.extend([measure.requires.among, measure.requires.given]) %}{% endif %}
    {% set code = modules.re.sub("'[^']*'", '', texts | select | join(' ')) %}
    {% set words = modules.re.findall('[a-z_][a-z0-9_]*', code) %}
    {{ return(declared | select('in', words) | list) }}
{% endmacro %}

{# What a measure needs, as {source, any_of}, in a fixed order and each once. #}
{% macro measure_needs(measure, meta) %}
    {% set declared = fact_columns(meta) %}
    {% set needs = [] %}
    {% for name in measure_columns(measure, meta) %}
        {% for item in declared[name] %}
            {% set source = item.split('.')[0] if '.' in item else meta.source %}
            {% set need = {'source': source, 'any_of': item.split('.')[-1].split('|')} %}
            {% if need not in needs %}{% do needs.append(need) %}{% endif %}
        {% endfor %}
    {% endfor %}
    {{ return(needs) }}
{% endmacro %}

{# Columns of a fact with what each is made of. #}
{% macro fact_columns(meta) %}
    {% set columns = {} %}
    {% for column in graph.nodes['model.' ~ project_name ~ '.' ~ meta.fact]['columns'].values() %}
        {% set said = column.config.meta if column.config else column.meta %}
        {% do columns.update({column.name: said.get('from', [column.name])}) %}
    {% endfor %}
    {{ return(columns) }}
{% endmacro %}

{# Whether a file whose columns are `columns_mapped` has what is needed. #}
{% macro has_columns(needs) -%}
    {%- set parts = [] -%}
    {%- for need in needs -%}
        {%- set choices = [] -%}
        {%- for column in need.any_of -%}
            {%- do choices.append(list_has('columns_mapped', "'" ~ column ~ "'")) -%}
        {%- endfor -%}
        {%- do parts.append('(' ~ choices | join(' or ') ~ ')') -%}
    {%- endfor -%}
    {{- parts | join(' and ') if parts else 'true' -}}
{%- endmacro %}
