with scope as (

    select * from {{ ref('int_report_scope') }} where is_run_quarter

),

administrative as (

    select
        units.unit_code,
        units.reporting_unit_code,
        registered.name_vi,
        units.unit_level,
        registered.level as unit_type,
        registered.parent_code as parent_unit_code,
        registered.valid_from,
        registered.valid_to
    from {{ ref('int_units') }} as units
    inner join scope on units.quarter = scope.quarter
    inner join {{ ref('admin_units') }} as registered
        on units.unit_code = registered.unit_code
        and registered.level in ('district', 'commune')
        and (registered.valid_from is null or registered.valid_from <= scope.closes_on)
        and (registered.valid_to is null or registered.valid_to >= scope.closes_on)

),

own as (

    select
        org_units.org_unit_code as unit_code,
        org_units.unit_code as reporting_unit_code,
        org_units.name_vi,
        org_units.unit_level,
        org_units.unit_type,
        org_units.parent_org_unit_code as parent_unit_code,
        org_units.valid_from,
        org_units.valid_to
    from {{ ref('int_org_units') }} as org_units
    inner join scope on org_units.quarter = scope.quarter
    where org_units.describes_unit and org_units.org_unit_code not in (select unit_code from administrative)

)

select * from administrative
union all
select * from own
