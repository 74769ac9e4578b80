{# Columns (3) to (13) of form II.06a, in order. #}
{% macro form_06a_columns() %}
    {{ return([
        'to_resolve', 'received_online', 'received_direct_or_postal', 'carried_over', 'resolved', 'resolved_early',
        'resolved_on_time', 'resolved_late', 'in_progress', 'in_progress_within_due', 'in_progress_overdue',
    ]) }}
{% endmacro %}

{% macro form_06a_sums() %}
    {%- for column in form_06a_columns() %}sum({{ column }}) as {{ column }}{% if not loop.last %}, {% endif %}{% endfor -%}
{% endmacro %}
