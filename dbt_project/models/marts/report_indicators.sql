with settled as (

    select * from {{ ref('int_indicator_values') }}

),

scope as (

    select * from {{ ref('int_report_scope') }}

),

year_quarters as (

    -- Unknown where the table's rows do not reach back to the year's first day: in the year a calendar begins to be used,
    -- and of the short period in which a unit closes its books. The year of a unit that begins within it has the quarters
    -- that it lives in.
    select
        windows.unit_code,
        case when min(periods.opens_on) <= windows.year_opens_on then count(*) end as quarters
    from {{ ref('int_periods') }} as periods
    inner join scope on scope.is_run_quarter
    inner join {{ ref('int_periods') }} as run_period on scope.quarter = run_period.quarter
    inner join {{ ref('int_unit_windows') }} as windows
        on scope.quarter = windows.quarter and periods.closes_on >= windows.year_opens_on
    where
        periods.kind = run_period.kind
        and periods.calendar = run_period.calendar
        and periods.year_opens_on = run_period.year_opens_on
        and periods.period_no <= run_period.period_no
    group by windows.unit_code, windows.year_opens_on

),

-- Figures of earlier quarters under the rows that go them on in the form of the run quarter.
followed as (

    select
        settled.unit_code,
        settled.quarter,
        rows_of_run.indicator_code,
        settled.basis,
        settled.value
    from {{ ref('int_figures_told') }} as settled
    inner join scope as run_scope on run_scope.is_run_quarter
    inner join {{ ref('int_forms_in_force') }} as forms_in_force
        on settled.unit_code = forms_in_force.unit_code and run_scope.quarter = forms_in_force.quarter
    inner join {{ ref('stg_forms__earlier_rows') }} as rows_of_run
        on forms_in_force.form_version = rows_of_run.form_version
        and settled.form_version = rows_of_run.earlier_form_version
        and settled.indicator_code = rows_of_run.earlier_indicator_code

),

compared as (

    select
        told.unit_code,
        told.indicator_code,
        max(case when scope.is_previous_quarter then told.value end) as previous_quarter_value,
        max(case when scope.is_same_quarter_last_year then told.value end) as same_quarter_last_year_value,
        sum(case when scope.is_year_to_date and told.basis = 'own' then told.value end) as year_sum,
        count(case when scope.is_year_to_date and told.basis = 'own' then told.value end) as year_quarters_known
    from followed as told
    inner join scope on told.quarter = scope.quarter
    group by told.unit_code, told.indicator_code

)

select
    settled.unit_code,
    settled.quarter,
    settled.form_version,
    settled.row_no,
    settled.section,
    settled.printed_number,
    settled.level,
    settled.indicator_code,
    settled.name_vi as indicator_name_vi,
    settled.name_corrected_vi as indicator_name_corrected_vi,
    settled.unit_vi as unit_of_measure,
    settled.unit_canonical as unit_of_measure_canonical,
    settled.kind,
    settled.value,
    case when settled.kind = 'text' then settled.declared_text end as value_text,
    settled.status,
    settled.source,
    settled.period_basis,
    settled.direction,
    cast(case when settled.derivation = 'ratio' then settled.numerator_value end as decimal(18, 4)) as numerator,
    cast(case when settled.derivation = 'ratio' then settled.denominator_value end as decimal(18, 4)) as denominator,
    settled.computed_value,
    settled.declared_value,
    case when settled.is_decided then settled.decision_id end as decision_id,
    settled.note_vi,
    case
        when settled.is_decided
            then 'Theo ' || settled.document_number || ' ngày ' || {{ printed_date('settled.dated') }} || ': ' || settled.reason_vi
    end as footnote_vi,
    cast(compared.previous_quarter_value as decimal(18, 4)) as previous_quarter_value,
    cast(compared.same_quarter_last_year_value as decimal(18, 4)) as same_quarter_last_year_value,
    cast(
        case
            when settled.value is null then null
            -- The row speaks of the year already, or of a day, or the period is all of the year so far.
            when settled.period_basis <> 'in_period' or year_quarters.quarters = 1 then settled.value
            -- Shares, answers and counts that do not add up say nothing of a year by its quarters.
            when adding_up.indicator_code is not null and compared.year_quarters_known = year_quarters.quarters
                then compared.year_sum
        end as decimal(18, 4)
    ) as year_to_date_value,
    cast(settled.units_counted as integer) as units_counted,
    cast(settled.units_expected as integer) as units_expected
from settled
inner join scope on settled.quarter = scope.quarter and scope.is_run_quarter
inner join compared
    on settled.unit_code = compared.unit_code and settled.indicator_code = compared.indicator_code
left join {{ ref('int_rows_that_add_up') }} as adding_up
    on settled.form_version = adding_up.form_version and settled.indicator_code = adding_up.indicator_code
left join year_quarters on settled.unit_code = year_quarters.unit_code
