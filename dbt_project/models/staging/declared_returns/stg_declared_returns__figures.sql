{% call delivered_rows('declared_returns') %}
    source.indicator_code,
    source.indicator_name as printed_name_vi,
    source.value as declared_value,
    source.value_text as declared_text,
    source.note as note_vi,
    source.evidence_document,
    source.prepared_by,
    source.approved_on
{% endcall %}
