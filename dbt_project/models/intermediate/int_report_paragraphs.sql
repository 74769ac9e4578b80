-- The text of one unit never competes with that of another, although a commune reports through its district.
with latest as (

    {{ latest_in_quarter(
        ref('stg_report_narrative__paragraphs'),
        'rows_delivered.delivering_unit_code, rows_delivered.section, rows_delivered.written_no'
    ) }}

)

select
    latest.reporting_unit_code as unit_code,
    latest.report_quarter as quarter,
    latest.section,
    row_number() over (
        partition by latest.reporting_unit_code, latest.report_quarter, latest.section order by latest.written_no
    ) as paragraph_no,
    latest.text_vi,
    latest.file_name,
    {{ lineage('latest') }}
from latest
where latest.delivering_unit_code = latest.reporting_unit_code
