-- Each figure of a longer period that adds up beside the sum of its quarters, as the same deliveries give them. Nothing of
-- a quarter.
with scope as (

    select scope.*
    from {{ ref('int_report_scope') }} as scope
    inner join {{ ref('int_report_scope') }} as run on run.is_run_quarter and run.made_of <> ''
    where scope.is_run_quarter or scope.is_part

),

figures as (

    select
        settled.unit_code,
        scope.run_quarter as quarter,
        rows_of_run.indicator_code,
        max(case when scope.is_run_quarter then settled.source end) as source,
        max(case when scope.is_run_quarter then settled.value end) as value,
        sum(case when scope.is_part then settled.value end) as quarters_sum,
        max(parts.quarters) as quarters,
        count(case when scope.is_part then settled.value end) as quarters_known
    from {{ ref('int_indicator_values') }} as settled
    inner join scope on settled.quarter = scope.quarter
    -- A quarter in which the form had no such row leaves the sum open.
    cross join (select count(*) filter (where is_part) as quarters from scope) as parts
    inner join {{ ref('int_forms_in_force') }} as forms_in_force
        on settled.unit_code = forms_in_force.unit_code and scope.run_quarter = forms_in_force.quarter
    inner join {{ ref('stg_forms__earlier_rows') }} as rows_of_run
        on forms_in_force.form_version = rows_of_run.form_version
        and settled.form_version = rows_of_run.earlier_form_version
        and settled.indicator_code = rows_of_run.earlier_indicator_code
    inner join {{ ref('int_rows_that_add_up') }} as adding_up
        on settled.form_version = adding_up.form_version and settled.indicator_code = adding_up.indicator_code
    group by settled.unit_code, scope.run_quarter, rows_of_run.indicator_code

),

moves as (

    select
        unit_code,
        indicator_code,
        count(*) as cases,
        sum(times_in_whole) - sum(times_in_parts) as net
    from {{ ref('period_moves') }}
    group by unit_code, indicator_code

)

select
    figures.unit_code,
    figures.quarter,
    figures.indicator_code,
    figures.source,
    cast(figures.value as decimal(18, 4)) as value,
    cast(case when figures.quarters_known = figures.quarters then figures.quarters_sum end as decimal(18, 4)) as quarters_sum,
    cast(figures.quarters as bigint) as quarters,
    cast(coalesce(moves.cases, 0) as bigint) as cases_moved,
    cast(coalesce(moves.net, 0) as bigint) as moved_net
from figures
left join moves
    on figures.unit_code = moves.unit_code and figures.indicator_code = moves.indicator_code
