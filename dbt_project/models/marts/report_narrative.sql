select
    paragraphs.unit_code,
    paragraphs.quarter,
    paragraphs.section,
    cast(paragraphs.paragraph_no as integer) as paragraph_no,
    paragraphs.text_vi,
    {{ neutral_file_name("'report_narrative'", 'paragraphs.quarter', 'paragraphs.unit_code', 'paragraphs.delivery_id') }} as file_name,
    {{ neutral_sheet_name(
        'paragraphs.sheet', 'dense_rank() over (partition by paragraphs.delivery_id order by paragraphs.sheet)'
    ) }} as sheet,
    paragraphs.row_number
from {{ ref('int_report_paragraphs') }} as paragraphs
inner join {{ ref('int_reporting_units') }} as reporting_units
    on paragraphs.unit_code = reporting_units.unit_code
    and paragraphs.quarter = reporting_units.quarter
    and reporting_units.is_run_quarter
