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

),

told as (

    select
        told.*,
        run_scope.quarter as run_quarter,
        run_scope.closes_on as run_closes_on
    from {{ ref('int_figures_told') }} as told
    inner join scope on told.quarter = scope.quarter and not scope.is_part
    inner join scope as run_scope on run_scope.is_run_quarter
    left join delivered on told.unit_code = delivered.unit_code and told.quarter = delivered.quarter
    where scope.is_run_quarter or delivered.unit_code is not null

)

select
    told.unit_code,
    told.run_quarter as quarter,
    rows_of_run.indicator_code,
    told.quarter as trend_quarter,
    told.value,
    told.status,
    told.basis,
    told.predecessor_codes,
    told.predecessor_names_vi,
    before.value as predecessor_value
from told
-- A code means the same row only within one version of the form; what an earlier form called otherwise goes on in the row
-- that its crosswalk names.
inner join {{ ref('int_forms_in_force') }} as forms_in_force
    on told.unit_code = forms_in_force.unit_code and told.run_quarter = forms_in_force.quarter
inner join {{ ref('stg_forms__earlier_rows') }} as rows_of_run
    on forms_in_force.form_version = rows_of_run.form_version
    and told.form_version = rows_of_run.earlier_form_version
    and told.indicator_code = rows_of_run.earlier_indicator_code
left join told as before
    on told.reported_by_code = before.unit_code
    and told.quarter = before.quarter
    and told.indicator_code = before.indicator_code
    and told.form_version = before.form_version
