{# The figure that a cell "name = value; name = value" gives under a name: decimal comma or point, blank where none. #}
{% macro seen_figure(column, name) -%}
        try_cast(
            replace(
                nullif(regexp_extract({{ column }}, '{{ name }}\s*=\s*(-?[0-9]+([.,][0-9]+)?)', 1), ''), ',', '.'
            ) as decimal(18, 4)
        )
{%- endmacro %}
