with reporting_units as (

    select * from {{ ref('int_reporting_units') }}

),

forms as (

    select * from {{ ref('stg_forms__rows') }}

),

forms_in_force as (

    select * from {{ ref('int_forms_in_force') }}

),

declared as (

    select * from {{ ref('int_declared_figures') }}

),

-- What a form row may name as numerator or denominator: a measure, or an auxiliary figure an office declares.
inputs as (

    select
        unit_code,
        quarter,
        measure as name,
        cast(value as decimal(18, 4)) as value,
        units_counted,
        units_expected
    from {{ ref('int_measures') }}

    union all

    select
        unit_code,
        quarter,
        indicator_code as name,
        declared_value as value,
        1 as units_counted,
        1 as units_expected
    from declared
    where indicator_code like 'AUX.%'

),

row_decisions as (

    select * from {{ ref('int_decisions') }}
    where is_in_effect and subject_kind = 'row' and action in ('accept_declared', 'accept_computed', 'withhold')

),

form_rows as (

    select
        reporting_units.unit_code,
        reporting_units.quarter,
        forms.*,
        declared.declared_value,
        declared.declared_text,
        declared.note_vi,
        numerators.value as numerator_value,
        denominators.value as denominator_value,
        coalesce(
            numerators.units_counted,
            case when declared.declared_value is not null then 1 when {{ nobody_to_ask() }} then 0 end
        ) as units_counted,
        coalesce(
            numerators.units_expected,
            case when declared.declared_value is not null then 1 when {{ nobody_to_ask() }} then 0 end
        ) as units_expected,
        row_decisions.decision_id,
        row_decisions.action,
        row_decisions.saw_figures,
        row_decisions.seen_computed,
        row_decisions.seen_declared,
        row_decisions.document_number,
        row_decisions.dated,
        row_decisions.reason_vi
    from reporting_units
    inner join forms_in_force
        on reporting_units.unit_code = forms_in_force.unit_code
        and reporting_units.quarter = forms_in_force.quarter
    inner join forms on forms_in_force.form_version = forms.form_version
    left join declared
        on reporting_units.unit_code = declared.unit_code
        and reporting_units.quarter = declared.quarter
        and forms.indicator_code = declared.indicator_code
    left join inputs as numerators
        on reporting_units.unit_code = numerators.unit_code
        and reporting_units.quarter = numerators.quarter
        and forms.numerator = numerators.name
    left join inputs as denominators
        on reporting_units.unit_code = denominators.unit_code
        and reporting_units.quarter = denominators.quarter
        and forms.denominator = denominators.name
    left join row_decisions
        on reporting_units.unit_code = row_decisions.unit_code
        and reporting_units.quarter = row_decisions.quarter
        and forms.indicator_code = row_decisions.subject

),

counted as (

    select
        *,
        cast(
            case derivation
                when 'measure' then numerator_value
                when 'ratio' then {{ percent('numerator_value', 'denominator_value') }}
                when 'any_positive' then case when numerator_value > 0 then 1 when numerator_value = 0 then 0 end
                when 'mode_code' then
                    case
                        when numerator_value > 0 and denominator_value > 0 then 2
                        when numerator_value > 0 and denominator_value = 0 then 1
                        when numerator_value = 0 and denominator_value > 0 then 0
                    end
            end as decimal(18, 4)
        ) as computed_value
    from form_rows

),

direct as (

    select
        *,
        {{ settled_value() }} as value,
        {{ settled_status() }} as status
    from counted
    where derived_from is null

),

-- A part of nothing is nothing: a blank row whose whole is 0 is 0, by reckoning and not by declaration.
completed as (

    select
        parts.*,
        coalesce(
            parts.zero_when_parent_zero and parts.status = 'not_reported' and wholes.value = 0, false
        ) as is_zero_by_whole
    from direct as parts
    left join direct as wholes
        on parts.unit_code = wholes.unit_code
        and parts.quarter = wholes.quarter
        and parts.logical_parent_code = wholes.indicator_code

),

terms as (

    select
        sums.form_version,
        sums.indicator_code as sum_code,
        parts.indicator_code as part_code
    from forms as sums
    inner join forms as parts
        on sums.form_version = parts.form_version
        and '+' || sums.derived_from || '+' like '%+' || parts.indicator_code || '+%'

),

-- Rows that follow from other rows: a sum needs every part that applies; "any above zero" is yes by one, and no by all of
-- them only; where no part applies the whole does not either.
sums as (

    select
        completed.unit_code as sum_unit_code,
        completed.quarter as sum_quarter,
        terms.form_version as sum_form_version,
        terms.sum_code,
        sum(case when completed.is_zero_by_whole then 0 else completed.value end) as total,
        bool_and(completed.value is not null or completed.is_zero_by_whole)
            filter (where completed.status <> 'not_applicable') as is_complete,
        bool_and(completed.status = 'declared') filter (where completed.status <> 'not_applicable') as is_declared,
        bool_and(completed.status = 'not_applicable') as is_inapplicable
    from completed
    inner join terms
        on completed.form_version = terms.form_version and completed.indicator_code = terms.part_code
    group by completed.unit_code, completed.quarter, terms.form_version, terms.sum_code

),

derived as (

    select
        {{ indicator_columns() }},
        cast(
            case
                when derivation = 'any_positive' and total > 0 then 1
                when is_complete then total
            end as decimal(18, 4)
        ) as computed_value,
        is_declared,
        is_inapplicable
    from counted
    left join sums
        on counted.unit_code = sums.sum_unit_code
        and counted.quarter = sums.sum_quarter
        and counted.form_version = sums.sum_form_version
        and counted.indicator_code = sums.sum_code
    where derived_from is not null

),

settled as (

    select
        {{ indicator_columns() }},
        case when is_zero_by_whole then 0 else computed_value end as computed_value,
        case when is_zero_by_whole then 0 else value end as value,
        case when is_zero_by_whole then 'computed' else status end as status
    from completed

    union all

    select
        {{ indicator_columns() }},
        computed_value,
        {{ settled_value() }} as value,
        case
            when {{ settled_status() }} = 'computed' and is_declared then 'declared'
            when {{ settled_status() }} = 'not_reported' and is_inapplicable then 'not_applicable'
            else {{ settled_status() }}
        end as status
    from derived

)

select
    {{ indicator_columns() }},
    cast(computed_value as decimal(18, 4)) as computed_value,
    cast(value as decimal(18, 4)) as value,
    status,
    -- Only where the decision changed what is published.
    case
        when action = 'withhold' and status = 'withheld' then true
        when computed_value <> declared_value and status in ('computed', 'declared') then true
        else false
    end as is_decided
from settled
