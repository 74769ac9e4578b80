-- The windows of each reporting unit. A unit that begins within a period reports on what came after its beginning: the
-- period, and its year, open with the unit. Periods before it are those of its predecessors, and stay whole. A unit that
-- goes on under another name, or in another province, has not begun anew.
with units as (

    select distinct reporting_unit_code as unit_code from {{ ref('int_units') }}

),

scope as (

    select * from {{ ref('int_report_scope') }}

),

lives as (

    select
        unit_code,
        case when count(first_day) = count(*) then min(first_day) end as valid_from
    from {{ ref('stg_units__pasts') }}
    where relation = 'own'
    group by unit_code

)

select
    units.unit_code,
    scope.quarter,
    scope.period_no,
    case
        when lives.valid_from between scope.opens_on and scope.closes_on then lives.valid_from
        else scope.opens_on
    end as opens_on,
    scope.closes_on,
    case
        when lives.valid_from between scope.year_opens_on and scope.closes_on then lives.valid_from
        else scope.year_opens_on
    end as year_opens_on,
    scope.is_run_quarter,
    lives.valid_from as begins_on,
    coalesce(lives.valid_from between scope.opens_on and scope.closes_on, false) as begins_within
from units
cross join scope
left join lives on units.unit_code = lives.unit_code
