-- Cases for which a half-year, nine months or a year is not the sum of its quarters: told late, told anew, or counted by
-- what only one of the periods knows. Nothing of a quarter.
with moved as (

    {{ compile_period_moves(ref('int_cases'), 'measures_cases') }}

),

reporting_units as (

    select * from {{ ref('int_reporting_units') }} where is_run_quarter

),

-- Only what the form prints as a count of the period itself.
forms as (

    select * from {{ ref('stg_forms__rows') }}
    where derivation = 'measure' and period_basis = 'in_period' and source = 'one_stop_cases'

)

select
    moved.unit_code,
    moved.run_quarter as quarter,
    forms.indicator_code,
    moved.measure,
    case
        when moved.times_in_parts = 0 then 'in_no_quarter'
        when moved.times_in_whole = 0 then 'no_longer'
        else 'in_several_quarters'
    end as kind,
    moved.case_code,
    coalesce(moved.counted_in, 'không quý nào') as counted_in,
    cast(moved.times_in_whole as bigint) as times_in_whole,
    cast(moved.times_in_parts as bigint) as times_in_parts,
    moved.received_on,
    moved.left_on as day,
    moved.receiving_unit_code,
    moved.delivery_id,
    deliveries.file_name,
    moved.sheet,
    moved.row_number
from moved
inner join reporting_units on moved.unit_code = reporting_units.unit_code
inner join {{ ref('int_forms_in_force') }} as forms_in_force
    on moved.unit_code = forms_in_force.unit_code and moved.run_quarter = forms_in_force.quarter
inner join forms
    on forms_in_force.form_version = forms.form_version and moved.measure = forms.numerator
inner join {{ ref('stg_deliveries__deliveries') }} as deliveries on moved.delivery_id = deliveries.delivery_id
