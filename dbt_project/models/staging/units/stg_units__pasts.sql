select
    unit_code,
    past_unit_code,
    past_name_vi,
    unit_level,
    relation,
    cast(taken_over_on as date) as taken_over_on,
    reported_by_code,
    reported_by_name_vi,
    cast(begins_on as date) as begins_on,
    cast(first_day as date) as first_day,
    cast(last_day as date) as last_day
from {{ source('run', 'unit_pasts') }}
