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
    settled.indicator_code,
    settled.quarter as trend_quarter,
    settled.value,
    settled.status
from {{ ref('int_indicator_values') }} as settled
inner join scope on settled.quarter = scope.quarter and not scope.is_part
inner join scope as run_scope on run_scope.is_run_quarter
-- A code means the same row only within one version of the form.
inner join {{ ref('stg_forms__rows') }} as run_forms
    on settled.form_version = run_forms.form_version
    and settled.indicator_code = run_forms.indicator_code
    and run_forms.valid_from <= run_scope.closes_on
    and (run_forms.used_until is null or run_forms.used_until >= run_scope.closes_on)
left join delivered on settled.unit_code = delivered.unit_code and settled.quarter = delivered.quarter
where scope.is_run_quarter or delivered.unit_code is not null
