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

delivered as (

    select
        folders.reporting_unit_code,
        folders.current_unit_code as delivering_current_code,
        working_units.unit_level,
        working_units.current_unit_code,
        persons.*
    from persons
    inner join units as folders
        on persons.quarter = folders.quarter and persons.delivering_unit_code = folders.unit_code
    inner join units as working_units
        on persons.quarter = working_units.quarter
        and {{ administrative_code('persons.working_unit_code') }} = working_units.unit_code
        and folders.reporting_unit_code = working_units.reporting_unit_code
    where
        folders.current_unit_code in (folders.reporting_unit_code, working_units.current_unit_code)

),

-- One person, one key. A row without a staff code is keyed by name and birth date; where exactly one staff code goes
-- with that name and birth date, it is that person.
codes_of_names as (

    select
        reporting_unit_code,
        person_name_key,
        min(person_key) as person_key
    from delivered
    where person_name_key is not null and person_key <> person_name_key
    group by reporting_unit_code, person_name_key
    having count(distinct person_key) = 1

),

identified as (

    select
        delivered.*,
        coalesce(codes_of_names.person_key, delivered.person_key) as identity_key
    from delivered
    left join codes_of_names
        on delivered.reporting_unit_code = codes_of_names.reporting_unit_code
        and delivered.person_key = codes_of_names.person_name_key

),

-- A person in an earlier roster of the year but not in the quarter's own has left the list: the person still counts in
-- the year's events, never among those present.
known as (

    select
        identified.*,
        scope.quarter as report_quarter,
        scope.opens_on,
        scope.closes_on,
        scope.year_opens_on,
        identified.quarter = scope.quarter as is_in_roster,
        max(identified.quarter) over (
            partition by identified.reporting_unit_code, scope.quarter, identified.identity_key
        ) as last_quarter
    from identified
    inner join {{ ref('reporting_periods') }} as delivered_periods on identified.quarter = delivered_periods.quarter
    inner join scope
        on delivered_periods.year_opens_on = scope.year_opens_on and identified.quarter <= scope.quarter

),

-- A row is a period of service: who moved, or left and came back, has several in one roster and is one person. Of two
-- files that tell of one period the later counts; of two rows of one file that tell the same the later one.
of_last_file as (

    select
        *,
        max(delivery_rank) over (
            partition by reporting_unit_code, report_quarter, identity_key, working_unit_code, recruited_on
        ) as last_rank
    from known
    where quarter = last_quarter

),

periods as (

    select
        *,
        row_number() over (
            partition by reporting_unit_code, report_quarter, identity_key, working_unit_code, recruited_on, left_on
            order by sheet desc, row_number desc
        ) as recency
    from of_last_file
    where delivery_rank = last_rank

)

select
    periods.reporting_unit_code as unit_code,
    periods.report_quarter as quarter,
    periods.opens_on,
    periods.closes_on,
    periods.year_opens_on,
    periods.unit_level,
    periods.current_unit_code as administrative_unit_code,
    periods.working_unit_code,
    case
        when org_units.unit_type is not null then org_units.unit_type
        when periods.unit_level = 'commune' then 'commune'
        else 'district'
    end as working_unit_type,
    org_units.autonomy_group as working_unit_autonomy_group,
    periods.identity_key as person_key,
    periods.person_name_key,
    periods.category,
    periods.salary_source,
    periods.leadership,
    periods.recruited_on,
    periods.recruitment_mode,
    periods.appointed_on,
    periods.appointment_mode,
    periods.left_on,
    periods.leaving_reason,
    periods.disciplined_on,
    periods.training_ended_on,
    periods.rotated_on,
    periods.digital_certificate,
    periods.official_email,
    periods.it_officer,
    periods.is_in_roster,
    -- A line whose day of leaving lies before the day of recruitment is of one who left and came back.
    periods.is_in_roster
    and (periods.recruited_on is null or periods.recruited_on <= periods.closes_on)
    and (
        periods.left_on is null
        or periods.left_on > periods.closes_on
        or periods.left_on < periods.recruited_on
    ) as is_present,
    {{ lineage('periods') }}
from periods
left join org_units
    on periods.reporting_unit_code = org_units.unit_code
    and periods.report_quarter = org_units.quarter
    and periods.working_unit_code = org_units.org_unit_code
where periods.recency = 1
