{#
    The on-time rule, as every model asks it (decree 61/2018, articles 17.4 and 30; docs/readings.md). A case's time ends
    with the day of its appointment, the extended one where there is one.
#}

{# What the days alone say of a resolved case: early, on_time, late or unknown; null of any other. #}
{% macro timeliness_by_days(outcome, left_on, due_on, is_answered_at_once) -%}
    case
        when {{ outcome }} <> 'resolved' then null
        -- Without an appointment only what is answered at once is on time; of the rest nobody knows.
        when {{ due_on }} is null then case when {{ is_answered_at_once }} then 'on_time' else 'unknown' end
        when {{ left_on }} < {{ due_on }} then 'early'
        when {{ left_on }} > {{ due_on }} then 'late'
        else 'on_time'
    end
{%- endmacro %}

{# Still in progress, and its time was up before the closing day: a suspended or waiting case's time does not run. #}
{% macro is_overdue(outcome, due_on, closes_on) -%}
    {{ outcome }} = 'in_progress' and {{ due_on }} < {{ closes_on }}
{%- endmacro %}

{# The time was up by closing: asked of cases that were resolved or still are in progress, since no other's runs. #}
{% macro is_due(outcome, due_on, closes_on) -%}
    coalesce(({{ outcome }} = 'resolved' and {{ due_on }} <= {{ closes_on }}) or ({{ is_overdue(outcome, due_on, closes_on) }}), false)
{%- endmacro %}

{# Whether a decision to count the case as on time changes its count: by its days it would be late, or nobody would know. #}
{% macro needs_decision(by_days) -%}
    {{ by_days }} in ('late', 'unknown')
{%- endmacro %}
