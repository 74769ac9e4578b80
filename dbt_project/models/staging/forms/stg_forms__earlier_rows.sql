select
    form_version,
    indicator_code,
    earlier_form_version,
    earlier_indicator_code
from {{ source('run', 'form_earlier_rows') }}
