{% call delivered_rows('org_units') %}
    source.unit_code as org_unit_code,
    source.name as name_vi,
    source.short_names as short_names_vi,
    source.unit_type,
    source.parent_code as parent_org_unit_code,
    source.autonomy_group,
    source.applies_autonomy,
    source.assigned_posts,
    source.valid_from,
    source.valid_to
{% endcall %}
