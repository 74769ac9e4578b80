with latest as (

    {{ latest_in_quarter(ref('stg_org_units__units'), 'rows_delivered.org_unit_code, rows_delivered.valid_from', of_parts='register') }}

),

-- Stock is taken when the closing day is over: who left, and what ended, on that day is gone.
placed as (

    select
        *,
        valid_from <= closes_on and (valid_to is null or valid_to > closes_on) as is_in_being
    from latest

),

-- A code is the unit: a new name, type or autonomy group is a new record of the same unit, and nothing is cut by it.
by_code as (

    select
        *,
        -- One record a code describes it: the one in being, else the last.
        row_number() over (
            partition by reporting_unit_code, report_quarter, org_unit_code
            order by case when is_in_being then 0 else 1 end, valid_from desc
        ) = 1 as describes_unit,
        max(case when is_in_being or valid_from > closes_on then 1 else 0 end) over (
            partition by reporting_unit_code, report_quarter, org_unit_code
        ) = 1 as code_goes_on,
        max(valid_to) over (partition by reporting_unit_code, report_quarter, org_unit_code) as last_valid_to
    from placed

)

select
    by_code.reporting_unit_code as unit_code,
    by_code.report_quarter as quarter,
    by_code.opens_on,
    by_code.closes_on,
    by_code.year_opens_on,
    by_code.delivering_level as unit_level,
    by_code.org_unit_code,
    by_code.name_vi,
    by_code.unit_type,
    by_code.parent_org_unit_code,
    by_code.autonomy_group,
    -- Who is given a group applies the regime; nobody needs to say so in a second column.
    coalesce(by_code.applies_autonomy, by_code.autonomy_group is not null) as applies_autonomy,
    by_code.assigned_posts,
    by_code.valid_from,
    by_code.valid_to,
    by_code.is_in_being,
    by_code.describes_unit,
    case when by_code.describes_unit and not by_code.code_goes_on then by_code.last_valid_to end as closed_on,
    {{ lineage('by_code') }}
from by_code
