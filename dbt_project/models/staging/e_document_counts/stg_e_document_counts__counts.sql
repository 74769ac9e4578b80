{% call delivered_rows('e_document_counts') %}
    source.unit as register_unit_code,
    source.month as counted_month,
    source.document_kind,
    source.topic,
    source.outgoing_total,
    source.electronic_only,
    source.electronic_and_paper,
    source.paper_only,
    source.incoming_total,
    source.incoming_electronic,
    source.connected
{% endcall %}
