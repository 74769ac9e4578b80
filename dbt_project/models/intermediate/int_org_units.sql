with latest as (

    {{ latest_in_quarter(ref('stg_org_units__units'), 'rows_delivered.org_unit_code, rows_delivered.valid_from') }}

)

select
    latest.reporting_unit_code as unit_code,
    latest.quarter,
    latest.opens_on,
    latest.closes_on,
    latest.year_opens_on,
    latest.delivering_level as unit_level,
    latest.org_unit_code,
    latest.name_vi,
    latest.unit_type,
    latest.parent_org_unit_code,
    latest.autonomy_group,
    latest.applies_autonomy,
    latest.valid_from,
    latest.valid_to,
    latest.valid_from <= latest.closes_on
    and (latest.valid_to is null or latest.valid_to >= latest.closes_on) as is_in_being,
    -- One record a code describes it: the one in being, else the last.
    row_number() over (
        partition by latest.reporting_unit_code, latest.quarter, latest.org_unit_code
        order by
            case
                when latest.valid_from <= latest.closes_on
                    and (latest.valid_to is null or latest.valid_to >= latest.closes_on)
                    then 0
                else 1
            end,
            latest.valid_from desc
    ) = 1 as describes_unit,
    {{ lineage('latest') }}
from latest
