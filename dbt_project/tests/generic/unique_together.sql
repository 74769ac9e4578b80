{# No two rows of a model are alike in the columns. Failing rows name the key. #}
{% test unique_together(model, columns) %}
    select {{ columns | join(', ') }}, count(*) as rows_alike
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1
{% endtest %}
