-- Of whom each figure of a period speaks: of the unit; of those that went whole into it, before it began; or of nobody
-- that the unit could be told by.
with scope as (

    select * from {{ ref('int_report_scope') }}

),

settled as (

    select
        settled.*,
        scope.closes_on
    from {{ ref('int_indicator_values') }} as settled
    inner join scope on settled.quarter = scope.quarter

),

-- Of whom each unit was made in each stretch of days, and whom that was reported by.
made_of as (

    select
        unit_code,
        first_day,
        last_day,
        bool_and(relation = 'own') as is_own,
        bool_and(relation <> 'part') as all_went_whole,
        {{ joined_in_order('past_unit_code', 'past_unit_code', ' ') }} as part_codes,
        {{ joined_in_order('past_name_vi', 'past_unit_code', ', ') }} as part_names_vi,
        min(reported_by_code) as reported_by_code,
        min(reported_by_name_vi) as reported_by_name_vi,
        count(distinct reported_by_code) as reported_by_units
    from {{ ref('stg_units__pasts') }}
    group by unit_code, first_day, last_day

),

-- A figure of the time before is told for the unit only where every unit that is in it went whole and delivered; else
-- there is a break, and nothing is guessed of how a figure was split.
sides as (

    select
        settled.unit_code,
        settled.form_version,
        settled.indicator_code,
        settled.quarter,
        settled.status,
        case
            when coalesce(made_of.is_own, true) then 'own'
            when
                made_of.all_went_whole
                and settled.value is not null
                and settled.units_counted = settled.units_expected
                and settled.units_counted > 0
                then 'predecessors'
            else 'break'
        end as basis,
        settled.value,
        made_of.part_codes,
        made_of.part_names_vi,
        made_of.reported_by_name_vi,
        -- One unit before it, else nobody's figure stands for the time before.
        case
            when made_of.reported_by_units = 1 and made_of.reported_by_code <> settled.unit_code
                then made_of.reported_by_code
        end as ended_code
    from settled
    left join made_of
        on settled.unit_code = made_of.unit_code
        and settled.closes_on <= made_of.last_day
        and (made_of.first_day is null or settled.closes_on >= made_of.first_day)

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
        when 'break' then case when ended_code is not null then reported_by_name_vi end
    end as predecessor_names_vi,
    case when basis <> 'own' then ended_code end as reported_by_code
from sides
