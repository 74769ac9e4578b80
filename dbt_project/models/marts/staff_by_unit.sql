-- Staff against posts, unit by unit. Counts of persons present only: what happens to a few persons of one small unit is
-- told of kinds of units (`staffing`), not here.
with reporting_units as (

    select unit_code, quarter
    from {{ ref('int_reporting_units') }}
    where is_run_quarter

),

org_units as (

    select org_units.*
    from {{ ref('int_org_units') }} as org_units
    inner join reporting_units
        on org_units.unit_code = reporting_units.unit_code and org_units.quarter = reporting_units.quarter
    where org_units.describes_unit and org_units.is_in_being

),

present as (

    select
        persons.unit_code,
        persons.quarter,
        persons.working_unit_code,
        persons.working_unit_type,
        count(distinct persons.person_key) as present,
        count(distinct persons.person_key) filter (where persons.category <> 'contract') as present_in_posts
    from {{ ref('int_staff') }} as persons
    inner join reporting_units
        on persons.unit_code = reporting_units.unit_code and persons.quarter = reporting_units.quarter
    where persons.is_present
    group by persons.unit_code, persons.quarter, persons.working_unit_code, persons.working_unit_type

)

select
    coalesce(org_units.unit_code, present.unit_code) as unit_code,
    coalesce(org_units.quarter, present.quarter) as quarter,
    coalesce(org_units.org_unit_code, present.working_unit_code) as working_unit_code,
    org_units.name_vi as working_unit_name_vi,
    coalesce(org_units.unit_type, present.working_unit_type) as working_unit_type,
    org_units.assigned_posts,
    coalesce(present.present, 0) as present,
    coalesce(present.present_in_posts, 0) as present_in_posts,
    org_units.assigned_posts - coalesce(present.present_in_posts, 0) as posts_free
from org_units
full join present
    on org_units.unit_code = present.unit_code
    and org_units.quarter = present.quarter
    and org_units.org_unit_code = present.working_unit_code
