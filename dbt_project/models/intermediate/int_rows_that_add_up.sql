with forms as (

    select * from {{ ref('stg_forms__rows') }} where period_basis = 'in_period'

),

counts as (

    select
        form_version,
        indicator_code
    from forms
    where kind = 'count' and derived_from is null and (numerator is null or numerator in ('{{ measures_adding_up() | join("', '") }}'))

),

-- A total adds up where each of its parts does: a heading that repeats a ratio does not.
totals as (

    select
        totals.form_version,
        totals.indicator_code
    from forms as totals
    inner join {{ ref('stg_forms__rows') }} as parts
        on totals.form_version = parts.form_version
        and '+' || totals.derived_from || '+' like '%+' || parts.indicator_code || '+%'
    left join counts
        on parts.form_version = counts.form_version and parts.indicator_code = counts.indicator_code
    where totals.derivation = 'sum'
    group by totals.form_version, totals.indicator_code
    having count(*) = count(counts.indicator_code)

)

select * from counts
union all
select * from totals
