{# Whether a declared row asks about units of a level of which there is none. #}
{% macro nobody_to_ask() -%}
    case forms.asks_level
        when 'district' then reporting_units.districts_expected = 0
        when 'commune' then reporting_units.communes_expected = 0
        else false
    end
{%- endmacro %}

{# What was decided about a row, where the decision was made for the figures that the row has now. #}
{% macro decided_action() %}
        case
            when
                action in ('accept_declared', 'accept_computed')
                and saw_figures
                and (seen_computed is distinct from computed_value or seen_declared is distinct from declared_value)
                then null
            else action
        end
{%- endmacro %}

{#
    Which of two figures a form row publishes, and why. One that stands alone is published; two that agree are one; two
    that differ are published only as a decision says. Headings publish nothing. Where there is no unit to report (a district
    without communes), the row does not apply.
#}
{% macro settled_value() %}
        case
            when kind = 'heading' or action = 'withhold' then null
            when declared_value is null then computed_value
            when computed_value is null or computed_value = declared_value then declared_value
            when {{ decided_action() }} = 'accept_declared' then declared_value
            when {{ decided_action() }} = 'accept_computed' then computed_value
        end
{%- endmacro %}

{% macro settled_status() %}
        case
            when kind = 'heading' then 'not_applicable'
            when action = 'withhold' then 'withheld'
            when kind = 'text' and declared_text is not null then 'declared'
            when computed_value is null and declared_value is null and denominator_value = 0 then 'not_applicable'
            when computed_value is null and declared_value is null and units_expected = 0 then 'not_applicable'
            when computed_value is null and declared_value is null then 'not_reported'
            when computed_value is null then 'declared'
            when declared_value is null or computed_value = declared_value then 'computed'
            when {{ decided_action() }} = 'accept_declared' then 'declared'
            when {{ decided_action() }} = 'accept_computed' then 'computed'
            else 'unsettled'
        end
{%- endmacro %}

{# Columns of a form row that pass through its settling unchanged. #}
{% macro indicator_columns() %}
        unit_code,
        quarter,
        form_version,
        row_no,
        section,
        printed_number,
        level,
        indicator_code,
        name_vi,
        name_corrected_vi,
        unit_vi,
        unit_canonical,
        kind,
        source,
        period_basis,
        direction,
        derivation,
        declared_value,
        declared_text,
        note_vi,
        numerator_value,
        denominator_value,
        units_counted,
        units_expected,
        decision_id,
        action,
        saw_figures,
        seen_computed,
        seen_declared,
        document_number,
        dated,
        reason_vi
{%- endmacro %}
