{% call delivered_rows('decisions') %}
    source.decision_id,
    source.subject_kind,
    source.subject,
    source.applies_to,
    source.cases,
    source.unit as decided_unit_code,
    source.quarter as first_quarter,
    source.action,
    source.value as decided_value,
    source.value_text as decided_text,
    source.figures_seen,
    source.reason as reason_vi,
    source.approved_by as approved_by_vi,
    source.document_number,
    source.dated,
    source.holds_until as last_quarter
{% endcall %}
