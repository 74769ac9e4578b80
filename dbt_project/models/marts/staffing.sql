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
    count(*) filter (where is_present) as present,
    count(*) filter (where is_present and salary_source = 'state_budget') as present_paid_by_state,
    count(*) filter (where is_present and leadership is not null) as leaders_present,
    count(*) filter (where is_present and digital_certificate) as present_with_certificate,
    count(*) filter (where recruited_on between opens_on and closes_on) as recruited,
    count(*) filter (where appointed_on between opens_on and closes_on) as appointed,
    count(*) filter (where left_on between opens_on and closes_on) as departed,
    count(*) filter (where left_on between opens_on and closes_on and leaving_reason = 'streamlined') as streamlined,
    count(*) filter (where disciplined_on between opens_on and closes_on) as disciplined,
    count(*) filter (where training_ended_on between year_opens_on and closes_on) as trained_in_year,
    count(*) filter (where rotated_on between year_opens_on and closes_on) as rotated_in_year
from persons
group by unit_code, quarter, working_unit_type, category
