{#
    What a model of findings selects for each kind, so that its union is one shape: the kind, what it is about, and what
    was found. The caller adds `from` and the condition.
#}

{# A contradiction or gap of a register with both figures; `source`, `subject`, `expected` … are SQL. #}
{% macro register_doubt(doubt, source, subject, expected, found, label_vi='cast(null as string)') -%}
    select
        unit_code,
        quarter,
        {{ source }} as source,
        '{{ doubt }}' as doubt,
        {{ subject }} as subject,
        {{ label_vi }} as label_vi,
        cast({{ expected }} as string) as expected,
        cast({{ found }} as string) as found
{%- endmacro %}

{#
    A row about a case that contradicts or leaves open something. `kind` is SQL; `cases` is the relation that has the
    row, or, where several may have it, the SQL of each column with `{}` for its name.
#}
{% macro case_finding(kind, cases, day, other_case_code='cast(null as string)') -%}
    {% set columns = ['unit_code', 'case_code', 'receiving_unit_code', 'received_on', 'delivery_id', 'sheet', 'row_number'] %}
    {% set form = cases if '{}' in cases else cases ~ '.{}' %}
    select
        {{ kind }} as kind,
        {% for column in columns %}
        {{ form | replace('{}', column) }} as {{ column }},
        {% endfor %}
        {{ day }} as day,
        {{ other_case_code }} as other_case_code
{%- endmacro %}

{# What a question about cases takes from the row that it is about. #}
{% macro place_of_case_row(cases) -%}
    {%- for column in ['unit_code', 'case_code', 'delivery_id', 'sheet', 'row_number', 'receiving_unit_code'] -%}
        {{ cases }}.{{ column }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
