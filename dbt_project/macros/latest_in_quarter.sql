{#
    The rows of a staging model, each with the reporting unit and the window of the quarter it was delivered for, one
    row a key: where files of one quarter collide, the row of the later delivery wins (delivery, sheet, row is a total
    order). Rows of units outside every reporting unit, and of quarters outside the report's scope, are left out.
    `partition` names the columns of the source's key. `speaks_for` names the column with the unit a row is about: the
    reporting unit's own folder speaks for all of its units, any other folder for its own unit only.
#}
{% macro latest_in_quarter(staging, partition, speaks_for=none) %}
    select * from (
    select
        rows_delivered.*,
        units.reporting_unit_code,
        units.unit_level as delivering_level,
        scope.opens_on,
        scope.closes_on,
        scope.year_opens_on,
        row_number() over (
            partition by units.reporting_unit_code, rows_delivered.quarter, {{ partition }}
            order by rows_delivered.delivery_rank desc, rows_delivered.sheet desc, rows_delivered.row_number desc
        ) as recency
    from {{ staging }} as rows_delivered
    inner join {{ ref('int_units') }} as units
        on rows_delivered.quarter = units.quarter and rows_delivered.delivering_unit_code = units.unit_code
    inner join {{ ref('int_report_scope') }} as scope on rows_delivered.quarter = scope.quarter
    {% if speaks_for %}
    where units.unit_code in (units.reporting_unit_code, {{ administrative_code(speaks_for) }})
    {% endif %}
    ) as ranked
    where recency = 1
{% endmacro %}

{# The administrative unit a unit code belongs to: departments and service units carry their district's code (945-PB01). #}
{% macro administrative_code(unit_code) %}split_part({{ unit_code }}, '-', 1){% endmacro %}
