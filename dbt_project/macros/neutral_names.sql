{# What a delivered file is called where others read it: offices write persons' names and numbers into file names. The
   same as publication.neutral_name; a test holds the two together. #}
{% macro neutral_file_name(source, quarter, unit, delivery_id) -%}
    {{ source }} || '-' || {{ quarter }} || '-' || {{ unit }} || '-' || substring({{ delivery_id }}, 1, 8)
{%- endmacro %}

{# What a sheet is called there: its place among the names of the delivery's sheets. Where the intake itself gave the
   name, because the file has no sheets, it stays. #}
{% macro neutral_sheet_name(sheet, sheet_no) -%}
    case when {{ sheet }} in ('csv', 'txt', 'docx') then {{ sheet }} else 'trang ' || cast({{ sheet_no }} as string) end
{%- endmacro %}
