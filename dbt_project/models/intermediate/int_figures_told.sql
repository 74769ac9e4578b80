-- Of whom each figure of a period speaks: of the unit; of those that went whole into it, before it began; or of nobody
-- that the unit could be told by.
with scope as (

    select * from {{ ref('int_report_scope') }}

),

run_scope as (

    select * from scope where is_run_quarter

),

settled as (

    select
        settled.*,
        scope.closes_on
    from {{ ref('int_indicator_values') }} as settled
    inner join scope on settled.quarter = scope.quarter

),

-- What went into each unit that has a beginning, and whom it was reported by.
successions as (

    select
        units.unit_code,
        units.valid_from,
        ended.unit_code as part_code,
        ended.name_vi as part_name_vi,
        reporting.unit_code as ended_code,
        reporting.name_vi as ended_name_vi,
        successors.relation = 'whole' as is_whole
    from {{ ref('admin_units') }} as units
    cross join run_scope
    inner join {{ ref('admin_unit_successors') }} as successors
        on units.unit_code = successors.new_unit_code and units.valid_from = successors.effective_on
    inner join {{ ref('admin_units') }} as ended
        on successors.old_unit_code = ended.unit_code
        and {{ days_after('ended.valid_to', 1) }} = units.valid_from
    left join {{ ref('admin_units') }} as reporting
        on ended.parent_code = reporting.unit_code
        and ended.valid_to = reporting.valid_to
    where
        units.valid_from <= run_scope.closes_on
        and (units.valid_to is null or units.valid_to >= run_scope.closes_on)

),

begun as (

    select
        unit_code,
        min(valid_from) as valid_from,
        bool_and(is_whole) as all_went_whole,
        {{ joined_in_order('part_code', 'part_code', ' ') }} as part_codes,
        {{ joined_in_order('part_name_vi', 'part_code', ', ') }} as part_names_vi,
        min(ended_code) as ended_code,
        min(ended_name_vi) as ended_name_vi,
        count(distinct ended_code) as ended_units
    from successions
    group by unit_code

),

-- A figure of the time before is told for the unit only where every unit that went into it went whole and delivered; else
-- there is a break, and nothing is guessed of how a figure was split.
sides as (

    select
        settled.unit_code,
        settled.form_version,
        settled.indicator_code,
        settled.quarter,
        settled.status,
        case
            when begun.valid_from is null or settled.closes_on >= begun.valid_from then 'own'
            when
                begun.all_went_whole
                and settled.value is not null
                and settled.units_counted = settled.units_expected
                and settled.units_counted > 0
                then 'predecessors'
            else 'break'
        end as basis,
        settled.value,
        begun.part_codes,
        begun.part_names_vi,
        begun.ended_name_vi,
        -- One unit before it, else nobody's figure stands for the time before.
        case when begun.ended_units = 1 then begun.ended_code end as ended_code
    from settled
    left join begun on settled.unit_code = begun.unit_code

)

select
    unit_code,
    form_version,
    indicator_code,
    quarter,
    basis,
    case when basis <> 'break' then value end as value,
    case when basis = 'break' and value is not null then 'not_reported' else status end as status,
    case basis when 'predecessors' then part_codes when 'break' then ended_code end as predecessor_codes,
    case basis
        when 'predecessors' then part_names_vi
        when 'break' then case when ended_code is not null then ended_name_vi end
    end as predecessor_names_vi,
    case when basis <> 'own' then ended_code end as reported_by_code
from sides
