{# Whether a period is one of those that a longer one is made of, by their keys with blanks between. #}
{% macro is_part_of(quarter, made_of) -%}
    (' ' || {{ made_of }} || ' ' like '% ' || {{ quarter }} || ' %')
{%- endmacro %}
