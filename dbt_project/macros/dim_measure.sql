{#
    The declarations of all measures as rows, read from the models that compile them, so that a reader of the published
    tables finds what each measure counts. `needs` lists the columns of the contracts that its SQL reads.
#}
{% macro declared_measures() %}
    {% set declared = [] %}
    {% if execute %}
        {% for node in graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') if node.config.meta.measures %}
            {% for measure in node.config.meta.measures %}
                {% do declared.append((
                    measure.id, node.config.meta.source, measure.aggregation, measure.column, measure.window, measure.level,
                    measure.description_vi, measure.description, measure.filter, measure.date,
                    measure.requires.given if measure.requires, measure.requires.given_vi if measure.requires,
                    measure.requires_measure, needed_columns(measure, node.config.meta),
                )) %}
            {% endfor %}
        {% endfor %}
    {% endif %}
    select * from (
        values
        {% for texts in declared %}
        ({% for text in texts %}{{ text_literal(text) }}{{ ', ' if not loop.last }}{% endfor %}){{ ',' if not loop.last }}
        {% endfor %}
    ) as declared (
        measure, source, aggregation, aggregated_column, period_basis, unit_level, description_vi, description, row_filter,
        date_column, requires, requires_vi, requires_measure, needs
    )
{% endmacro %}

{# "source.column, source.one or another" #}
{% macro needed_columns(measure, meta) %}
    {% set words = [] %}
    {% for need in measure_needs(measure, meta) %}
        {% do words.append(need.source ~ '.' ~ need.any_of | join('|')) %}
    {% endfor %}
    {{ return(words | join(', ')) }}
{% endmacro %}
