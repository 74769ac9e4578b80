{# Where a fact's row came from, under the same names in every fact, so that any figure can be followed to its cells. #}
{% macro lineage(alias) %}
        {{ alias }}.delivery_id,
        {{ alias }}.sheet,
        {{ alias }}.row_number
{%- endmacro %}
