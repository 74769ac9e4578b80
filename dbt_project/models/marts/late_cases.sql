-- The cases that a decision may count, or counts, as on time: by their days they are late, or nobody knows. One row a
-- measure that would count the case, with the place of its row.
{% set measures = [] %}
{% if execute %}
    {% for measure in graph.nodes['model.' ~ project_name ~ '.measures_cases'].config.meta.measures %}
        {% if measure.counts_by_decision %}{% do measures.append(measure) %}{% endif %}
    {% endfor %}
{% endif %}
with run as (

    select quarter from {{ ref('int_report_scope') }} where is_run_quarter

),

late as (

    select cases.*
    from {{ ref('int_cases') }} as cases
    inner join run on cases.quarter = run.quarter
    where {{ needs_decision('cases.timeliness') }} or cases.decision_id is not null

),

counted as (

    {% for measure in measures %}
    select late.*, '{{ measure.id }}' as figure
    from late
    {% if measure.level != 'all' %}where late.unit_level = '{{ measure.level }}'{% endif %}
    {% if not loop.last %}union all{% endif %}
    {% else %}
    select late.*, '' as figure from late
    {% endfor %}

)

select
    counted.unit_code,
    counted.quarter,
    counted.figure,
    counted.case_code,
    counted.receiving_unit_code,
    counted.due_on,
    counted.left_on,
    counted.decision_id,
    counted.delivery_id,
    counted.sheet,
    counted.row_number
from counted
