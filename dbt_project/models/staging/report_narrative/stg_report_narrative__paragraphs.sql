{% call delivered_rows('report_narrative') %}
    deliveries.file_name,
    source.section,
    source.paragraph_no as written_no,
    source.text as text_vi
{% endcall %}
