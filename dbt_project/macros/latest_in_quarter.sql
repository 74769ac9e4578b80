{#
    The rows of a staging model, each with the reporting unit and the window of the period it counts for
    (`report_quarter`), one row a key: where files of one period collide, the row of the later delivery wins (delivery,
    sheet, row is a total order). Rows of units outside every reporting unit, and of quarters outside the report's scope,
    are left out. `partition` names the columns of the source's key. `speaks_for` names the column with the unit a row is
    about: the reporting unit's own folder speaks for all of its units, any other folder for its own unit only.

    `of_parts` says what a longer period (a half-year, a year) takes from the folders of its quarters:
      none       nothing: the source is delivered anew, in the period's own folder
      register   the last quarter's rows, with those of the period's own folder laid over them
      rows       every quarter's rows, a key in each folder
    For a quarter the three are one: its own folder's rows.
#}
{% macro latest_in_quarter(staging, partition, speaks_for=none, of_parts='none') %}
    select * from (
    select
        rows_delivered.*,
        made_from.report_quarter,
        made_from.is_of_own_folder,
        made_from.is_latest,
        units.reporting_unit_code,
        units.unit_level as delivering_level,
        windows.opens_on,
        windows.closes_on,
        windows.year_opens_on,
        row_number() over (
            partition by
                units.reporting_unit_code, made_from.report_quarter,
                {{ 'rows_delivered.quarter, ' if of_parts == 'rows' }}{{ partition }}
            order by rows_delivered.delivery_rank desc, rows_delivered.sheet desc, rows_delivered.row_number desc
        ) as recency
    from {{ staging }} as rows_delivered
    inner join {{ ref('int_report_deliveries') }} as made_from
        on rows_delivered.delivery_id = made_from.delivery_id
        {% if of_parts == 'none' %}
        and made_from.is_of_own_folder
        {% elif of_parts == 'register' %}
        and made_from.is_latest
        {% elif of_parts != 'rows' %}
        {{ exceptions.raise_compiler_error('latest_in_quarter: unknown of_parts ' ~ of_parts) }}
        {% endif %}
    inner join {{ ref('int_units') }} as units
        on rows_delivered.quarter = units.quarter and rows_delivered.delivering_unit_code = units.unit_code
    inner join {{ ref('int_unit_windows') }} as windows
        on units.reporting_unit_code = windows.unit_code and made_from.report_quarter = windows.quarter
    -- Of a year in which the unit began the quarters before it are its predecessors'.
    inner join {{ ref('int_periods') }} as folder_periods
        on rows_delivered.quarter = folder_periods.quarter and folder_periods.closes_on >= windows.opens_on
    -- So they are of one that came into a unit which went on.
    where coalesce(windows.closes_on < units.taken_over_on, true)
    {% if speaks_for %}
        and units.unit_code in (units.reporting_unit_code, {{ administrative_code(speaks_for) }})
    {% endif %}
    ) as ranked
    where recency = 1
{% endmacro %}

{# The administrative unit a unit code belongs to: departments and service units carry their district's code (945-PB01). #}
{% macro administrative_code(unit_code) %}split_part({{ unit_code }}, '-', 1){% endmacro %}
