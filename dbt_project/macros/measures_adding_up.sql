{# Ids of the measures whose figures of periods that follow each other may be added. #}
{% macro measures_adding_up() %}
    {% set ids = [] %}
    {% if execute %}
        {% for node in graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') if node.config.meta.measures %}
            {% for measure in node.config.meta.measures if measure.window == 'in_period' and measure.adds_up is not false %}
                {% do ids.append(measure.id) %}
            {% endfor %}
        {% endfor %}
    {% endif %}
    {{ return(ids) }}
{% endmacro %}
