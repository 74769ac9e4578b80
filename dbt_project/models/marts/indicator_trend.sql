with delivered as (

    select
        unit_code,
        quarter
    from {{ ref('int_coverage') }}
    where measure_level = 'all'
    group by unit_code, quarter
    having sum(units_counted) > 0

),

scope as (

    select * from {{ ref('int_report_scope') }}

)

select
    settled.unit_code,
    run_scope.quarter,
    rows_of_run.indicator_code,
    settled.quarter as trend_quarter,
    settled.value,
    settled.status
from {{ ref('int_indicator_values') }} as settled
inner join scope on settled.quarter = scope.quarter and not scope.is_part
inner join scope as run_scope on run_scope.is_run_quarter
-- A code means the same row only within one version of the form; what an earlier form called otherwise goes on in the row
-- that its crosswalk names.
inner join {{ ref('int_forms_in_force') }} as forms_in_force
    on settled.unit_code = forms_in_force.unit_code and run_scope.quarter = forms_in_force.quarter
inner join {{ ref('stg_forms__earlier_rows') }} as rows_of_run
    on forms_in_force.form_version = rows_of_run.form_version
    and settled.form_version = rows_of_run.earlier_form_version
    and settled.indicator_code = rows_of_run.earlier_indicator_code
left join delivered on settled.unit_code = delivered.unit_code and settled.quarter = delivered.quarter
where scope.is_run_quarter or delivered.unit_code is not null
