with registers as (

    {{ latest_in_quarter(ref('stg_plan_tasks__tasks'), 'rows_delivered.plan_kind, rows_delivered.task_code', of_parts='register') }}

),

-- What a superior assigns is listed quarter by quarter: a longer period has the tasks of all its quarters, each as it was
-- told last. Plans of the year are the last register's alone.
assigned as (

    {{ latest_in_quarter(ref('stg_plan_tasks__tasks'), 'rows_delivered.plan_kind, rows_delivered.task_code', of_parts='rows') }}

),

earlier as (

    select
        assigned.*,
        row_number() over (
            partition by assigned.reporting_unit_code, assigned.report_quarter, assigned.task_code
            order by assigned.delivery_rank desc
        ) as place
    from assigned
    left join registers
        on assigned.reporting_unit_code = registers.reporting_unit_code
        and assigned.report_quarter = registers.report_quarter
        and assigned.plan_kind = registers.plan_kind
        and assigned.task_code = registers.task_code
    where
        assigned.plan_kind = 'province_assigned'
        and not assigned.is_latest
        and registers.task_code is null

),

latest as (

    select registers.*, 1 as place from registers
    union all
    select * from earlier where place = 1

),

org_units as (

    select * from {{ ref('int_org_units') }} where describes_unit

),

units as (

    select * from {{ ref('int_units') }}

),

-- What is written about the plan's year: "năm 2023", else the day of the plan document.
dated as (

    select
        *,
        {{ year_named('plan_document') }} as named_year,
        {{ last_date_in('plan_document') }} as plan_dated
    from latest

),

-- The year of a task's plan (docs/readings.md): the year named, else the year of the document (one of October to
-- December makes the next year's plan unless the task falls due before), else the year the task is due or was done.
of_a_year as (

    select
        *,
        coalesce(
            named_year,
            case
                when extract(month from plan_dated) >= 10
                    and (due_on is null or extract(year from due_on) > extract(year from plan_dated))
                    then extract(year from plan_dated) + 1
                else extract(year from plan_dated)
            end,
            extract(year from due_on),
            extract(year from done_on),
            extract(year from closes_on)
        ) as plan_year
    from dated

)

select
    tasks.reporting_unit_code as unit_code,
    tasks.report_quarter as quarter,
    tasks.opens_on,
    tasks.closes_on,
    tasks.year_opens_on,
    tasks.delivering_level as unit_level,
    tasks.plan_kind,
    tasks.plan_document,
    tasks.task_code,
    tasks.content,
    tasks.target_unit_code,
    coalesce(org_units.unit_type, target_units.unit_level) as target_unit_type,
    tasks.planned_quantity,
    tasks.due_on,
    tasks.done_on,
    tasks.evidence_document,
    tasks.findings_found,
    tasks.findings_settled,
    cast(tasks.plan_year as integer) as plan_year,
    tasks.plan_year = extract(year from tasks.closes_on) as is_of_the_year,
    tasks.status is null or tasks.status <> 'cancelled' as is_planned,
    coalesce(tasks.status, '') <> 'cancelled' and tasks.done_on <= tasks.closes_on as is_done,
    {{ lineage('tasks') }}
from of_a_year as tasks
left join org_units
    on tasks.reporting_unit_code = org_units.unit_code
    and tasks.report_quarter = org_units.quarter
    and tasks.target_unit_code = org_units.org_unit_code
-- A unit that has ended by the run quarter stands twice: as it was, and for the unit that took it over.
left join units as target_units
    on tasks.quarter = target_units.quarter
    and tasks.target_unit_code = target_units.unit_code
    and tasks.reporting_unit_code = target_units.reporting_unit_code
