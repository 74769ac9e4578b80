-- Which current deliveries each period in scope is made from besides cases and decisions, which are known from all
-- folders before: those of its own folders and, of a longer period, of the folders of its quarters.
with scope as (

    select * from {{ ref('int_report_scope') }}

),

periods as (

    select * from {{ ref('int_periods') }}

),

made_from as (

    select
        scope.quarter as report_quarter,
        deliveries.quarter,
        deliveries.delivery_id,
        deliveries.source,
        deliveries.delivering_unit_code,
        deliveries.outcome,
        periods.period_no,
        scope.quarter = deliveries.quarter as is_of_own_folder
    from scope
    inner join {{ ref('stg_deliveries__deliveries') }} as deliveries
        on scope.quarter = deliveries.quarter
        or {{ is_part_of('deliveries.quarter', 'scope.made_of') }}
    inner join periods on deliveries.quarter = periods.quarter
    where deliveries.is_current

),

last_parts as (

    select
        report_quarter,
        source,
        delivering_unit_code,
        max(period_no) as period_no
    from made_from
    where not is_of_own_folder and outcome <> 'refused'
    group by report_quarter, source, delivering_unit_code

)

select
    made_from.report_quarter,
    made_from.quarter,
    made_from.delivery_id,
    made_from.source,
    made_from.delivering_unit_code,
    made_from.outcome,
    made_from.is_of_own_folder,
    -- A register says how things stand: the last one counts, with what the period's own folder adds to it.
    made_from.is_of_own_folder or coalesce(made_from.period_no = last_parts.period_no, false) as is_latest
from made_from
left join last_parts
    on made_from.report_quarter = last_parts.report_quarter
    and made_from.source = last_parts.source
    and made_from.delivering_unit_code = last_parts.delivering_unit_code
