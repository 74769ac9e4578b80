{% call delivered_rows('plan_tasks') %}
    source.plan as plan_kind,
    source.plan_document,
    source.task_code,
    source.content,
    source.unit_in_charge as unit_in_charge_code,
    source.target_unit as target_unit_code,
    source.planned_quantity,
    source.due_on,
    source.done_on,
    source.evidence_document,
    source.findings_found,
    source.findings_settled,
    source.status
{% endcall %}
