with cases as (

    select cases.*
    from {{ ref('int_cases') }} as cases
    inner join {{ ref('int_reporting_units') }} as reporting_units
        on cases.unit_code = reporting_units.unit_code
        and cases.quarter = reporting_units.quarter
        and reporting_units.is_run_quarter

),

counted as (

    select
        unit_code,
        quarter,
        receiving_unit_code,
        field_vi,
        channel,
        max(unit_level) as unit_level,
        count(*) filter (where is_carried_over) as carried_over,
        count(*) filter (where is_received) as received,
        count(*) filter (where is_resolved) as resolved,
        count(*) filter (where timeliness = 'early') as resolved_early,
        count(*) filter (where timeliness = 'on_time') as resolved_on_time,
        count(*) filter (where timeliness = 'late') as resolved_late,
        count(*) filter (where decision_id is not null) as counted_on_time_by_decision,
        count(*) filter (where outcome = 'in_progress' and not coalesce(is_overdue, false)) as in_progress_within_due,
        count(*) filter (where is_overdue) as in_progress_overdue,
        count(*) filter (where outcome = 'waiting_for_supplement') as waiting_for_supplement,
        count(*) filter (where outcome = 'suspended') as suspended,
        count(*) filter (where outcome = 'withdrawn') as withdrawn,
        count(*) filter (where outcome = 'refused') as refused
    from cases
    group by unit_code, quarter, receiving_unit_code, field_vi, channel

),

durations as (

    select
        unit_code,
        quarter,
        receiving_unit_code,
        field_vi,
        channel,
        working_days,
        count(*) as cases_taking
    from cases
    where is_resolved and working_days is not null
    group by unit_code, quarter, receiving_unit_code, field_vi, channel, working_days

),

cumulated as (

    select
        *,
        sum(cases_taking) over (
            partition by unit_code, quarter, receiving_unit_code, field_vi, channel order by working_days
        ) as cases_up_to,
        sum(cases_taking) over (
            partition by unit_code, quarter, receiving_unit_code, field_vi, channel
        ) as cases_in_all
    from durations

),

-- Nearest rank: the least number of days within which the share of the cases was resolved. The median of an even number
-- is the mean of the two in the middle. Counts only, so no double decides.
quantiles as (

    select
        unit_code,
        quarter,
        receiving_unit_code,
        field_vi,
        channel,
        cast(
            (
                min(case when 2 * cases_up_to >= cases_in_all then working_days end)
                + min(case when 2 * cases_up_to >= cases_in_all + 1 then working_days end)
            ) * 0.5 as decimal(9, 1)
        ) as median_working_days,
        cast(
            min(case when 10 * cases_up_to >= 9 * cases_in_all then working_days end) as decimal(9, 1)
        ) as p90_working_days
    from cumulated
    group by unit_code, quarter, receiving_unit_code, field_vi, channel

)

select
    counted.unit_code,
    counted.quarter,
    counted.receiving_unit_code,
    counted.field_vi,
    counted.channel,
    counted.unit_level,
    fields.field_code,
    counted.carried_over,
    counted.received,
    counted.resolved,
    counted.resolved_early,
    counted.resolved_on_time,
    counted.resolved_late,
    counted.counted_on_time_by_decision,
    counted.in_progress_within_due + counted.in_progress_overdue as in_progress,
    counted.in_progress_within_due,
    counted.in_progress_overdue,
    counted.waiting_for_supplement,
    counted.suspended,
    counted.withdrawn,
    counted.refused,
    quantiles.median_working_days,
    quantiles.p90_working_days
from counted
left join quantiles
    on counted.unit_code = quantiles.unit_code
    and counted.quarter = quantiles.quarter
    and counted.receiving_unit_code = quantiles.receiving_unit_code
    and counted.field_vi = quantiles.field_vi
    and counted.channel = quantiles.channel
left join {{ ref('procedure_fields') }} as fields on counted.field_vi = fields.field_name_vi
