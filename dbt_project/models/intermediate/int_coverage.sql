-- Which units each source covers in each period: those that delivered for themselves and, where a file names units row
-- by row, those with a row in somebody's file. "Nothing to report" is a delivery; a refused file is none. A longer
-- period is covered by a file of its own folder, or by one for each of the quarters it is made of.
with units as (

    select * from {{ ref('int_units') }}

),

reporting_units as (

    select * from {{ ref('int_reporting_units') }}

),

delivered as (

    select
        deliveries.source,
        deliveries.quarter,
        deliveries.delivering_unit_code,
        deliveries.delivering_unit_code as covered_unit_code
    from {{ ref('stg_deliveries__deliveries') }} as deliveries
    where deliveries.is_current and deliveries.outcome <> 'refused'

    union

    select
        'one_stop_cases' as source,
        quarter,
        delivering_unit_code,
        {{ administrative_code('receiving_unit_code') }} as covered_unit_code
    from {{ ref('stg_one_stop_cases__cases') }}
    group by quarter, delivering_unit_code, receiving_unit_code

    union

    select
        'staffing_roster' as source,
        quarter,
        delivering_unit_code,
        {{ administrative_code('working_unit_code') }} as covered_unit_code
    from {{ ref('stg_staffing_roster__persons') }}

    union

    select
        'e_document_counts' as source,
        quarter,
        delivering_unit_code,
        {{ administrative_code('register_unit_code') }} as covered_unit_code
    from {{ ref('stg_e_document_counts__counts') }}

),

-- A row that names a unit of another reporting unit covers nothing there.
covered as (

    select distinct
        delivered.source,
        delivered.quarter,
        folders.reporting_unit_code,
        covered_units.unit_code,
        covered_units.current_unit_code,
        covered_units.unit_level
    from delivered
    inner join units as folders
        on delivered.quarter = folders.quarter and delivered.delivering_unit_code = folders.unit_code
    inner join units as covered_units
        on delivered.quarter = covered_units.quarter
        and delivered.covered_unit_code = covered_units.unit_code
        and folders.reporting_unit_code = covered_units.reporting_unit_code
    where
        delivered.source not in ('e_document_counts', 'staffing_roster')
        or folders.current_unit_code in (folders.reporting_unit_code, covered_units.current_unit_code)

),

scope as (

    select
        scope.quarter,
        scope.made_of,
        windows.unit_code,
        windows.opens_on,
        -- The quarters it is made of that the unit lived in.
        (
            select count(*) from {{ ref('int_periods') }} as parts
            where {{ is_part_of('parts.quarter', 'scope.made_of') }} and parts.closes_on >= windows.opens_on
        ) as parts
    from {{ ref('int_report_scope') }} as scope
    inner join {{ ref('int_unit_windows') }} as windows on scope.quarter = windows.quarter

),

covered_in_scope as (

    select
        scope.quarter,
        covered.source,
        covered.reporting_unit_code,
        covered.unit_code,
        covered.current_unit_code,
        covered.unit_level
    from scope
    inner join covered
        on covered.reporting_unit_code = scope.unit_code
        and (scope.quarter = covered.quarter or {{ is_part_of('covered.quarter', 'scope.made_of') }})
    inner join {{ ref('int_periods') }} as folder_periods
        on covered.quarter = folder_periods.quarter and folder_periods.closes_on >= scope.opens_on
    group by
        scope.quarter, covered.source, covered.reporting_unit_code, covered.unit_code, covered.current_unit_code,
        covered.unit_level, scope.parts
    having
        (scope.parts > 0 and count(distinct case when covered.quarter <> scope.quarter then covered.quarter end) = scope.parts)
        or bool_or(covered.quarter = scope.quarter)

),

counted as (

    select
        reporting_unit_code,
        quarter,
        source,
        count(*) filter (where unit_level = 'district') as districts_counted,
        count(*) filter (where unit_level = 'commune') as communes_counted,
        count(*) filter (where current_unit_code = reporting_unit_code) as own_counted
    from covered_in_scope
    group by reporting_unit_code, quarter, source

),

-- Before a unit began, those that went into it had to deliver: it is covered where all of them are.
expected as (

    select
        reporting_unit_code,
        quarter,
        count(*) filter (where unit_level = 'district') as districts_expected,
        count(*) filter (where unit_level = 'commune') as communes_expected,
        count(*) filter (where current_unit_code = reporting_unit_code) as own_expected
    from units
    group by reporting_unit_code, quarter

),

sources as (

    {% for source in ['one_stop_cases', 'e_document_counts', 'staffing_roster', 'org_units', 'procedure_catalogue',
                      'plan_tasks', 'survey_responses', 'declared_returns', 'decisions'] %}
    select '{{ source }}' as source
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

levels as (

    select 'district' as measure_level
    union all
    select 'commune' as measure_level
    union all
    select 'own' as measure_level
    union all
    select 'all' as measure_level

)

select
    reporting_units.unit_code,
    reporting_units.quarter,
    sources.source,
    levels.measure_level,
    cast(
        case levels.measure_level
            when 'district' then coalesce(counted.districts_counted, 0)
            when 'commune' then coalesce(counted.communes_counted, 0)
            when 'own' then coalesce(counted.own_counted, 0)
            else coalesce(counted.districts_counted, 0) + coalesce(counted.communes_counted, 0)
        end as integer
    ) as units_counted,
    cast(
        case levels.measure_level
            when 'district' then coalesce(expected.districts_expected, reporting_units.districts_expected)
            when 'commune' then coalesce(expected.communes_expected, reporting_units.communes_expected)
            when 'own' then coalesce(expected.own_expected, 1)
            else
                coalesce(
                    expected.districts_expected + expected.communes_expected,
                    reporting_units.districts_expected + reporting_units.communes_expected
                )
        end as integer
    ) as units_expected
from reporting_units
cross join sources
cross join levels
left join expected
    on reporting_units.unit_code = expected.reporting_unit_code and reporting_units.quarter = expected.quarter
left join counted
    on reporting_units.unit_code = counted.reporting_unit_code
    and reporting_units.quarter = counted.quarter
    and sources.source = counted.source
