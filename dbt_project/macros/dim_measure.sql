{#
    The declarations of all measures as rows, read from the models that compile them, so that a reader of the published
    tables finds what each measure counts.
#}
{% macro declared_measures() %}
    {% if execute %}
        {% for node in graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | sort(attribute='name')
           if node.config.meta.measures %}
            {% for measure in node.config.meta.measures %}
    select
        {{ text_literal(measure.id) }} as measure,
        {{ text_literal(node.config.meta.source) }} as source,
        {{ text_literal(measure.aggregation) }} as aggregation,
        {{ text_literal(measure.column) }} as aggregated_column,
        {{ text_literal(measure.window) }} as period_basis,
        {{ text_literal(measure.level) }} as unit_level,
        {{ text_literal(measure.description_vi) }} as description_vi,
        {{ text_literal(measure.description) }} as description,
        {{ text_literal(measure.filter) }} as row_filter,
        {{ text_literal(measure.date) }} as date_column,
        {{ text_literal(measure.requires.given if measure.requires) }} as requires,
        {{ text_literal(measure.requires.given_vi if measure.requires) }} as requires_vi,
        {{ text_literal(measure.requires_measure) }} as requires_measure
            {{ 'union all' if not loop.last }}
            {% endfor %}
            {{ 'union all' if not loop.last }}
        {% endfor %}
    {% endif %}
{% endmacro %}

{% macro text_literal(text) -%}
    {{ "'" ~ (text | replace("'", "''")) ~ "'" if text else 'cast(null as varchar)' }}
{%- endmacro %}
