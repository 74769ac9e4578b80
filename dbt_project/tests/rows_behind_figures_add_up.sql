{{ config(meta={'dagster': {'ref': {'name': 'figure_rows'}}}) }}
-- What the delivered rows contribute comes to every reported measure and every declared figure, and to no other.
with rows_behind as (

    select
        unit_code,
        quarter,
        figure,
        sum(amount) as total,
        count(*) filter (where amount_each is not null) as amounts
    from {{ ref('figure_rows') }}
    group by unit_code, quarter, figure

),

figures as (

    select
        unit_code,
        quarter,
        measure as figure,
        cast(value as decimal(18, 4)) as value
    from {{ ref('measure_values') }}
    where is_reported and measure <> 'communes_expected'

    union all

    select
        figures.unit_code,
        figures.quarter,
        figures.indicator_code as figure,
        figures.declared_value as value
    from {{ ref('int_declared_figures') }} as figures
    inner join {{ ref('int_reporting_units') }} as reporting_units
        on figures.unit_code = reporting_units.unit_code
        and figures.quarter = reporting_units.quarter
        and reporting_units.is_run_quarter
    where figures.declared_value is not null

)

select
    coalesce(figures.unit_code, rows_behind.unit_code) as unit_code,
    coalesce(figures.figure, rows_behind.figure) as figure,
    figures.value,
    rows_behind.total
from figures
full outer join rows_behind
    on figures.unit_code = rows_behind.unit_code
    and figures.quarter = rows_behind.quarter
    and figures.figure = rows_behind.figure
where
    coalesce(figures.value, 0) <> coalesce(rows_behind.total, 0)
    or (figures.figure is null and rows_behind.amounts > 0)
