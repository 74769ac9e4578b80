with measures as (

    {% for fact in ['cases', 'e_documents', 'org_units', 'plan_tasks', 'procedures', 'staff', 'survey'] %}
    select * from {{ ref('measures_' ~ fact) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

-- Known from the register of administrative units; what the offices' counts are compared with.
expected as (

    select
        unit_code,
        quarter,
        'communes_expected' as measure,
        cast(communes_expected as bigint) as value,
        cast(communes_expected as integer) as units
    from {{ ref('int_reporting_units') }}

)

select
    measures.unit_code,
    measures.quarter,
    measures.measure,
    case when measures.reported and coalesce(required.reported, true) then measures.value end as value,
    measures.reported and coalesce(required.reported, true) as reported,
    case when coalesce(required.reported, true) then measures.units_counted else 0 end as units_counted,
    measures.units_expected,
    measures.files_asked,
    measures.files_giving
from measures
left join measures as required
    on measures.unit_code = required.unit_code
    and measures.quarter = required.quarter
    and measures.requires_measure = required.measure

union all

select
    unit_code,
    quarter,
    measure,
    value,
    true as reported,
    units as units_counted,
    units as units_expected,
    0 as files_asked,
    0 as files_giving
from expected
