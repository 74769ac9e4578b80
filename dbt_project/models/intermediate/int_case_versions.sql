-- Every delivered row about a case, put in order. Each quarter counts the last version known in it: the folder's
-- period comes first, so that an old quarter's file that is sent again later never takes back what a later one knows;
-- within a period the order of deliveries decides.
with units as (

    select * from {{ ref('int_units') }}

),

periods as (

    select quarter, period_no, closes_on from {{ ref('int_periods') }}

),

delivered as (

    select *, {{ canonical_case_code('case_code') }} as case_key
    from {{ ref('stg_one_stop_cases__cases') }}

),

-- Rows of the reporting unit's own folders about its own units. The folder decides whose report a row may touch, so a
-- file laid in one district's folder can never change another's figures.
versions as (

    select
        folders.reporting_unit_code as unit_code,
        receivers.unit_level,
        receivers.current_unit_code as receiving_unit_code,
        delivered.delivering_unit_code,
        delivered.quarter as delivered_quarter,
        periods.period_no as delivered_no,
        delivered.case_key,
        delivered.case_code,
        delivered.procedure_code,
        delivered.delivered_field_vi,
        delivered.status,
        delivered.channel,
        delivered.return_channel,
        delivered.received_at,
        cast(delivered.received_at as date) as received_on,
        cast(coalesce(delivered.extended_to, delivered.due_at) as date) as due_on,
        cast(coalesce(delivered.finished_at, delivered.returned_at) as date) as ended_on,
        coalesce(delivered.finished_at, delivered.returned_at) as ended_at,
        cast(delivered.returned_at as date) as returned_on,
        delivered.suspended_days,
        delivered.late_reason_vi,
        folders.taken_over_on as folder_taken_over_on,
        delivered.delivery_id,
        delivered.delivery_rank,
        delivered.sheet,
        delivered.row_number
    from delivered
    inner join periods on delivered.quarter = periods.quarter
    inner join units as folders
        on delivered.quarter = folders.quarter and delivered.delivering_unit_code = folders.unit_code
    inner join units as receivers
        on delivered.quarter = receivers.quarter
        and {{ administrative_code('delivered.receiving_unit_code') }} = receivers.unit_code
        and folders.reporting_unit_code = receivers.reporting_unit_code

),

-- The same rows, only what puts them in order: kept apart from the wide rows so that millions of cases stay in memory.
keys as (

    select
        folders.reporting_unit_code as unit_code,
        delivered.case_key,
        periods.period_no as delivered_no,
        delivered.status in ('withdrawn', 'refused') as is_set_aside,
        folders.taken_over_on,
        delivered.delivery_rank,
        delivered.sheet,
        delivered.row_number
    from delivered
    inner join periods on delivered.quarter = periods.quarter
    inner join units as folders
        on delivered.quarter = folders.quarter and delivered.delivering_unit_code = folders.unit_code

),

-- Most cases are delivered once; only the others need to be put in order. Numbers first, codes second: a million hashes
-- are grouped in a fraction of the time of a million codes, and codes that only share a hash drop out after.
suspects as (

    select {{ row_hash('unit_code, case_key') }} as case_hash
    from keys
    group by case_hash
    having count(*) > 1

),

repeated as (

    select unit_code, case_key
    from keys
    where {{ row_hash('unit_code, case_key') }} in (select case_hash from suspects)
    group by unit_code, case_key
    having count(*) > 1

),

numbered as (

    select
        keys.*,
        row_number() over (
            partition by keys.unit_code, keys.case_key
            order by keys.delivered_no, keys.delivery_rank, keys.sheet, keys.row_number
        ) as version_no,
        -- Versions that set the case aside belong to the last one before them that did not.
        count(*) filter (where not keys.is_set_aside) over (
            partition by keys.unit_code, keys.case_key
            order by keys.delivered_no, keys.delivery_rank, keys.sheet, keys.row_number
            rows between unbounded preceding and current row
        ) as standing_no
    from keys
    inner join repeated on keys.unit_code = repeated.unit_code and keys.case_key = repeated.case_key

),

ordered as (

    select
        unit_code,
        delivery_rank,
        sheet,
        row_number,
        -- The period in which a later version of the case is known: from then on this one no longer counts.
        lead(delivered_no) over (partition by unit_code, case_key order by version_no) as superseded_from_no,
        min(delivered_no) over (partition by unit_code, case_key) as first_delivered_no,
        max(taken_over_on) over (partition by unit_code, case_key) as taken_over_on,
        min(case when is_set_aside then delivered_no end) over (
            partition by unit_code, case_key, standing_no
        ) as set_aside_since_no
    from numbered

)

select
    versions.*,
    ordered.superseded_from_no,
    coalesce(ordered.first_delivered_no, versions.delivered_no) as first_delivered_no,
    -- Told by a unit that came into this one: until that day the case was the other's, whoever tells it again.
    coalesce(ordered.taken_over_on, versions.folder_taken_over_on) as taken_over_on,
    -- When the case left the stock. Dates are believed before labels: whatever the label, a case with a day of ending
    -- has ended on it. A withdrawn or refused case without one left in the quarter in which it was first known so.
    case
        when versions.ended_on is not null then versions.ended_on
        when versions.status in ('withdrawn', 'refused') then set_aside.closes_on
    end as left_on
from versions
left join ordered
    on versions.unit_code = ordered.unit_code
    and versions.delivery_rank = ordered.delivery_rank
    and versions.sheet is not distinct from ordered.sheet
    and versions.row_number = ordered.row_number
left join periods as set_aside
    on coalesce(ordered.set_aside_since_no, versions.delivered_no) = set_aside.period_no
