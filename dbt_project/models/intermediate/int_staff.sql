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

periods as (

    select * from {{ ref('int_periods') }}

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
-- the year's events, never among those present. A longer period's roster is that of its last quarter, with what its own
-- folder adds.
known as (

    select
        identified.*,
        scope.quarter as report_quarter,
        windows.opens_on,
        windows.closes_on,
        windows.year_opens_on,
        coalesce(made_from.is_latest, false) as is_in_roster,
        delivered_periods.period_no,
        max(delivered_periods.period_no) over (
            partition by identified.reporting_unit_code, scope.quarter, identified.identity_key
        ) as last_period_no
    from identified
    inner join periods as delivered_periods on identified.quarter = delivered_periods.quarter
    inner join scope
        on delivered_periods.year_opens_on = scope.year_opens_on and delivered_periods.period_no <= scope.period_no
    inner join {{ ref('int_unit_windows') }} as windows
        on identified.reporting_unit_code = windows.unit_code and scope.quarter = windows.quarter
    left join {{ ref('int_report_deliveries') }} as made_from
        on scope.quarter = made_from.report_quarter and identified.delivery_id = made_from.delivery_id

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
    where period_no = last_period_no

),

services as (

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
    services.reporting_unit_code as unit_code,
    services.report_quarter as quarter,
    services.opens_on,
    services.closes_on,
    services.year_opens_on,
    services.unit_level,
    services.current_unit_code as administrative_unit_code,
    services.working_unit_code,
    case
        when org_units.unit_type is not null then org_units.unit_type
        when services.unit_level = 'commune' then 'commune'
        else 'district'
    end as working_unit_type,
    org_units.autonomy_group as working_unit_autonomy_group,
    services.identity_key as person_key,
    services.person_name_key,
    services.category,
    services.salary_source,
    services.leadership,
    services.recruited_on,
    services.recruitment_mode,
    services.appointed_on,
    services.appointment_mode,
    services.left_on,
    services.leaving_reason,
    services.disciplined_on,
    services.training_ended_on,
    services.rotated_on,
    services.digital_certificate,
    services.official_email,
    services.it_officer,
    services.is_in_roster,
    -- A line whose day of leaving lies before the day of recruitment is of one who left and came back.
    services.is_in_roster
    and (services.recruited_on is null or services.recruited_on <= services.closes_on)
    and (
        services.left_on is null
        or services.left_on > services.closes_on
        or services.left_on < services.recruited_on
    ) as is_present,
    {{ lineage('services') }}
from services
left join org_units
    on services.reporting_unit_code = org_units.unit_code
    and services.report_quarter = org_units.quarter
    and services.working_unit_code = org_units.org_unit_code
where services.recency = 1
