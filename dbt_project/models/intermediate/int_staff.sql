with scope as (

    select * from {{ ref('int_report_scope') }}

),

units as (

    select * from {{ ref('int_units') }}

),

persons as (

    select * from {{ ref('stg_staffing_roster__persons') }}

),

org_units as (

    select * from {{ ref('int_org_units') }} where describes_unit

),

-- A person in an earlier roster of the year but not in the quarter's own has left the list: the person still counts in
-- the year's events, never among those present.
known as (

    select
        folders.reporting_unit_code as unit_code,
        scope.quarter as report_quarter,
        scope.opens_on,
        scope.closes_on,
        scope.year_opens_on,
        persons.*,
        persons.quarter = scope.quarter as is_in_roster,
        row_number() over (
            partition by folders.reporting_unit_code, scope.quarter, persons.person_key
            order by persons.quarter desc, persons.delivery_rank desc, persons.sheet desc, persons.row_number desc
        ) as recency
    from persons
    inner join units as folders
        on persons.quarter = folders.quarter and persons.delivering_unit_code = folders.unit_code
    inner join {{ ref('reporting_periods') }} as delivered_periods on persons.quarter = delivered_periods.quarter
    inner join scope
        on delivered_periods.year_opens_on = scope.year_opens_on and persons.quarter <= scope.quarter

)

select
    known.unit_code,
    known.report_quarter as quarter,
    known.opens_on,
    known.closes_on,
    known.year_opens_on,
    working_units.unit_level,
    working_units.current_unit_code as administrative_unit_code,
    known.working_unit_code,
    case
        when org_units.unit_type is not null then org_units.unit_type
        when working_units.unit_level = 'commune' then 'commune'
        else 'district'
    end as working_unit_type,
    org_units.autonomy_group as working_unit_autonomy_group,
    known.person_key,
    known.category,
    known.salary_source,
    known.leadership,
    known.recruited_on,
    known.recruitment_mode,
    known.appointed_on,
    known.appointment_mode,
    known.left_on,
    known.leaving_reason,
    known.disciplined_on,
    known.training_ended_on,
    known.rotated_on,
    known.digital_certificate,
    known.official_email,
    known.it_officer,
    known.is_in_roster,
    known.is_in_roster
    and (known.recruited_on is null or known.recruited_on <= known.closes_on)
    and (known.left_on is null or known.left_on > known.closes_on) as is_present,
    {{ lineage('known') }}
from known
inner join units as working_units
    on known.quarter = working_units.quarter
    and {{ administrative_code('known.working_unit_code') }} = working_units.unit_code
    and known.unit_code = working_units.reporting_unit_code
left join org_units
    on known.unit_code = org_units.unit_code
    and known.report_quarter = org_units.quarter
    and known.working_unit_code = org_units.org_unit_code
where known.recency = 1
