{% call delivered_rows('one_stop_cases') %}
    source.case_code,
    source.procedure_code,
    source.procedure_name as delivered_procedure_name_vi,
    source.field as delivered_field_vi,
    source.receiving_unit as receiving_unit_code,
    source.received_at,
    source.due_at,
    source.finished_at,
    source.returned_at,
    source.status,
    source.channel,
    source.return_channel,
    source.suspended_days,
    source.extended_to,
    source.late_reason as late_reason_vi
{% endcall %}
