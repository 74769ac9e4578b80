{# Cases counted in int_case_counts, those that fulfil a condition; 0 where there are none. #}
{% macro count_cases(condition='true') -%}
    cast(coalesce(sum(cases) filter (where {{ condition }}), 0) as bigint)
{%- endmacro %}
