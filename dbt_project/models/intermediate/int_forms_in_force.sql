with reporting_units as (

    select * from {{ ref('int_reporting_units') }}

),

admin_units as (

    select * from {{ ref('admin_units') }}

),

forms as (

    select
        form_version,
        unit_level,
        issuer,
        valid_from,
        used_until
    from {{ ref('stg_forms__rows') }}
    group by form_version, unit_level, issuer, valid_from, used_until

),

-- The province is the one that the unit belongs to when the run quarter closes: so an earlier quarter is laid out as the
-- unit would have reported it.
provinces as (

    select
        reporting_units.unit_code,
        max(admin_units.parent_code) as province_code
    from reporting_units
    inner join admin_units
        on reporting_units.unit_code = admin_units.unit_code
        and reporting_units.unit_level = admin_units.level
        and (admin_units.valid_from is null or admin_units.valid_from <= reporting_units.closes_on)
        and (admin_units.valid_to is null or admin_units.valid_to >= reporting_units.closes_on)
    where reporting_units.is_run_quarter
    group by reporting_units.unit_code

),

-- Before communes reported by themselves there was no form of theirs; their own past is laid out by the one that was.
fitting as (

    select
        reporting_units.unit_code,
        reporting_units.quarter,
        forms.form_version,
        row_number() over (
            partition by reporting_units.unit_code, reporting_units.quarter
            order by
                case when forms.unit_level = reporting_units.unit_level then 0 else 1 end,
                case when forms.issuer is null then 1 else 0 end,
                forms.form_version
        ) as preference
    from reporting_units
    left join provinces on reporting_units.unit_code = provinces.unit_code
    inner join forms
        on forms.valid_from <= reporting_units.closes_on
        and (forms.used_until is null or forms.used_until >= reporting_units.closes_on)
        and (forms.issuer is null or forms.issuer = provinces.province_code)
        and (forms.unit_level = reporting_units.unit_level or not reporting_units.is_run_quarter)

)

select
    unit_code,
    quarter,
    form_version
from fitting
where preference = 1
