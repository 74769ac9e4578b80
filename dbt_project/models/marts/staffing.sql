with persons as (

    select persons.*
    from {{ ref('int_staff') }} as persons
    inner join {{ ref('int_reporting_units') }} as reporting_units
        on persons.unit_code = reporting_units.unit_code
        and persons.quarter = reporting_units.quarter
        and reporting_units.is_run_quarter

)

select
    unit_code,
    quarter,
    working_unit_type,
    category,
    count(distinct person_key) filter (where is_present) as present,
    count(distinct person_key) filter (where is_present and salary_source = 'state_budget') as present_paid_by_state,
    count(distinct person_key) filter (where is_present and leadership is not null) as leaders_present,
    count(distinct person_key) filter (where is_present and digital_certificate) as present_with_certificate,
    count(distinct person_key) filter (where recruited_on between opens_on and closes_on) as recruited,
    count(distinct person_key) filter (where appointed_on between opens_on and closes_on) as appointed,
    count(distinct person_key) filter (where left_on between opens_on and closes_on) as departed,
    count(distinct person_key) filter (where left_on between opens_on and closes_on and leaving_reason = 'streamlined') as streamlined,
    count(distinct person_key) filter (where disciplined_on between opens_on and closes_on) as disciplined,
    count(distinct person_key) filter (where training_ended_on between year_opens_on and closes_on) as trained_in_year,
    count(distinct person_key) filter (where rotated_on between year_opens_on and closes_on) as rotated_in_year
from persons
group by unit_code, quarter, working_unit_type, category
