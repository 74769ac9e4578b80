-- What is strange about rows of cases and contradicts nothing: somebody who knows the cases is asked, and no figure
-- changes. One row a case and kind, each with the place of its row; how much is strange is for the rules to say. Of a
-- longer period nothing: its quarters have asked.
with recursive run as (

    select
        scope.quarter,
        scope.period_no,
        scope.opens_on,
        scope.closes_on,
        min(days.day) as last_working_day,
        max(closing.working_day_number - opening.working_day_number) + 1 as working_days
    from {{ ref('int_report_scope') }} as scope
    inner join {{ ref('int_working_days') }} as closing on scope.closes_on = closing.day
    inner join {{ ref('int_working_days') }} as opening on scope.opens_on = opening.day
    inner join {{ ref('int_working_days') }} as days on closing.working_day_number = days.working_day_number
    where scope.is_run_quarter and scope.made_of = ''
    group by scope.quarter, scope.period_no, scope.opens_on, scope.closes_on

),

versions as (

    select versions.*
    from {{ ref('int_case_versions') }} as versions
    inner join {{ ref('int_reporting_units') }} as reporting_units
        on versions.unit_code = reporting_units.unit_code and reporting_units.is_run_quarter

),

-- As last known. No folder of a quarter after the run's is read, so what nothing supersedes is known today.
known as (

    select versions.*
    from versions
    where versions.superseded_from_no is null

),

-- Numbers are given in order, from 1 on each day, by each agency's software (circular 01/2018, article 19).
numbered as (

    select
        known.*,
        try_cast(split_part(known.case_key, '-', 3) as bigint) as serial
    from known
    cross join run
    where known.case_key like '%-%' and known.received_on between run.opens_on and run.closes_on

),

in_order as (

    select
        *,
        serial - coalesce(lag(serial) over (
            partition by unit_code, split_part(case_key, '-', 1), split_part(case_key, '-', 2) order by serial
        ), 0) - 1 as missing
    from numbered
    where serial is not null

),

ended as (

    select known.*
    from known
    cross join run
    where known.status in ('finished', 'returned') and known.ended_on between run.opens_on and run.closes_on

),

-- An ending at midnight is one of which only the day was told.
batches as (

    select
        unit_code,
        receiving_unit_code,
        date_trunc('minute', ended_at) as ended_in,
        count(*) as cases
    from ended
    where ended_at <> cast(ended_on as timestamp)
    group by unit_code, receiving_unit_code, date_trunc('minute', ended_at)

),

-- What a unit ends in a minute if it ends its cases evenly over the window's working days of eight hours (Labour Code
-- 2019, article 105): one case in an office, hundreds where a province has one counter, of which each row would be a
-- question. Not the median of the minutes: who ends a whole quarter in one minute has no other.
in_a_minute as (

    select
        ended.unit_code,
        ended.receiving_unit_code,
        cast(ceiling(count(*) / (max(run.working_days) * 8 * 60.0)) as bigint) as usual
    from ended
    cross join run
    group by ended.unit_code, ended.receiving_unit_code

),

by_day as (

    select
        unit_code,
        receiving_unit_code,
        ended_on,
        count(*) as cases
    from ended
    group by unit_code, receiving_unit_code, ended_on

),

-- What a unit ends on a usual day, and what it ended from the last working day before closing on.
at_closing as (

    select
        by_day.unit_code,
        by_day.receiving_unit_code,
        coalesce(sum(case when by_day.ended_on >= run.last_working_day then by_day.cases end), 0) as cases,
        cast(ceiling(median(case when by_day.ended_on < run.last_working_day then by_day.cases end)) as bigint) as usual
    from by_day
    cross join run
    group by by_day.unit_code, by_day.receiving_unit_code

),

-- Agencies that gave the numbers of cases told in this period, and the units beside which they stand: few, however many
-- the cases.
agencies as (

    select
        known.unit_code,
        known.receiving_unit_code,
        split_part(known.case_key, '-', 1) as agency,
        known.received_on
    from known
    inner join run on known.delivered_quarter = run.quarter
    where known.case_key like '%-%'
    group by known.unit_code, known.receiving_unit_code, split_part(known.case_key, '-', 1), known.received_on

),

-- Whose number it is: the agency's own entry, else that of the nearest one above it.
owners as (

    select
        agencies.unit_code,
        agencies.receiving_unit_code,
        agencies.agency,
        agencies.received_on,
        max_by(portal_codes.unit_code, length(portal_codes.agency_code)) as owner_code
    from agencies
    inner join {{ ref('portal_codes') }} as portal_codes
        on (
            agencies.agency = portal_codes.agency_code
            or agencies.agency like portal_codes.agency_code || '.%'
        )
        and (portal_codes.valid_from is null or portal_codes.valid_from <= agencies.received_on)
        and (portal_codes.valid_to is null or portal_codes.valid_to >= agencies.received_on)
    group by agencies.unit_code, agencies.receiving_unit_code, agencies.agency, agencies.received_on

),

-- The receiving units as they are at closing, and all that they were made from, back to the beginning of the register.
lineage as (

    select
        receivers.receiving_unit_code,
        units.unit_code,
        units.parent_code,
        units.valid_from,
        units.valid_to
    from (select distinct receiving_unit_code from owners) as receivers
    inner join {{ ref('admin_units') }} as units on receivers.receiving_unit_code = units.unit_code
    inner join run
        on (units.valid_from is null or units.valid_from <= run.closes_on)
        and (units.valid_to is null or units.valid_to >= run.closes_on)

    -- Each step leads to a day before it, so it ends; a unit that several ways lead to may stand here more than once.
    union all

    select
        lineage.receiving_unit_code,
        units.unit_code,
        units.parent_code,
        units.valid_from,
        units.valid_to
    from lineage
    inner join {{ ref('admin_unit_successors') }} as successors
        on lineage.unit_code = successors.new_unit_code
        and (lineage.valid_from is null or lineage.valid_from <= successors.effective_on)
        and (lineage.valid_to is null or lineage.valid_to >= successors.effective_on)
    inner join {{ ref('admin_units') }} as units
        on successors.old_unit_code = units.unit_code
        and {{ days_after('units.valid_to', 1) }} = successors.effective_on

),

-- Each unit of a lineage with those above it, on the days of both.
own_and_above as (

    select receiving_unit_code, unit_code, valid_from, valid_to from lineage

    union all

    select receiving_unit_code, parent_code as unit_code, valid_from, valid_to from lineage

    union all

    select
        lineage.receiving_unit_code,
        above.parent_code as unit_code,
        greatest(lineage.valid_from, above.valid_from) as valid_from,
        least(lineage.valid_to, above.valid_to) as valid_to
    from lineage
    inner join {{ ref('admin_units') }} as above on lineage.parent_code = above.unit_code

),

-- Numbers of an agency that is neither the receiving unit's, nor that of a unit above it or before it.
of_others as (

    select
        owners.*,
        owner_units.name_vi as owner_name_vi
    from owners
    inner join {{ ref('admin_units') }} as owner_units
        on owners.owner_code = owner_units.unit_code
        and (owner_units.valid_from is null or owner_units.valid_from <= owners.received_on)
        and (owner_units.valid_to is null or owner_units.valid_to >= owners.received_on)
    left join own_and_above
        on owners.receiving_unit_code = own_and_above.receiving_unit_code
        and owners.owner_code = own_and_above.unit_code
        and (own_and_above.valid_from is null or own_and_above.valid_from <= owners.received_on)
        and (own_and_above.valid_to is null or own_and_above.valid_to >= owners.received_on)
    where own_and_above.unit_code is null

),

found as (

    select
        'serials_missing' as kind,
        {{ place_of_case_row('in_order') }},
        cast(missing as bigint) as cases,
        cast(null as bigint) as usual,
        received_on as day,
        cast(null as date) as earlier_day,
        cast(null as string) as owner_name_vi
    from in_order
    where missing > 0

    union all

    select
        'ended_together' as kind,
        {{ place_of_case_row('ended') }},
        batches.cases,
        in_a_minute.usual,
        ended.ended_on as day,
        cast(null as date) as earlier_day,
        cast(null as string) as owner_name_vi
    from ended
    inner join batches
        on ended.unit_code = batches.unit_code
        and ended.receiving_unit_code = batches.receiving_unit_code
        and date_trunc('minute', ended.ended_at) = batches.ended_in
    inner join in_a_minute
        on ended.unit_code = in_a_minute.unit_code
        and ended.receiving_unit_code = in_a_minute.receiving_unit_code
    where batches.cases >= 2 * in_a_minute.usual

    union all

    select
        'ended_at_closing' as kind,
        {{ place_of_case_row('ended') }},
        cast(at_closing.cases as bigint) as cases,
        at_closing.usual,
        ended.ended_on as day,
        cast(null as date) as earlier_day,
        cast(null as string) as owner_name_vi
    from ended
    cross join run
    inner join at_closing
        on ended.unit_code = at_closing.unit_code
        and ended.receiving_unit_code = at_closing.receiving_unit_code
        and ended.ended_on >= run.last_working_day
    where at_closing.cases > at_closing.usual

    union all

    -- The appointment that an earlier folder told had passed by its closing, the case was open, and the appointment now
    -- told is later: late then, on time now.
    select
        'due_day_moved' as kind,
        {{ place_of_case_row('known') }},
        cast(null as bigint) as cases,
        cast(null as bigint) as usual,
        known.due_on as day,
        earlier.due_on as earlier_day,
        cast(null as string) as owner_name_vi
    from versions as earlier
    inner join run on earlier.superseded_from_no = run.period_no and earlier.delivered_no < run.period_no
    inner join {{ ref('int_periods') }} as periods on earlier.delivered_quarter = periods.quarter
    inner join known
        on earlier.unit_code = known.unit_code
        and earlier.case_key = known.case_key
        and known.delivered_quarter = run.quarter
    where
        earlier.due_on <= periods.closes_on
        and (earlier.left_on is null or earlier.left_on > periods.closes_on)
        and known.due_on > earlier.due_on

    union all

    select
        'code_of_another_unit' as kind,
        {{ place_of_case_row('known') }},
        cast(null as bigint) as cases,
        cast(null as bigint) as usual,
        known.received_on as day,
        cast(null as date) as earlier_day,
        of_others.owner_name_vi
    from known
    inner join run on known.delivered_quarter = run.quarter
    inner join of_others
        on known.unit_code = of_others.unit_code
        and known.receiving_unit_code = of_others.receiving_unit_code
        and split_part(known.case_key, '-', 1) = of_others.agency
        and known.received_on = of_others.received_on

)

select
    found.unit_code,
    run.quarter,
    found.kind,
    found.case_code,
    found.delivery_id,
    found.sheet,
    found.row_number,
    deliveries.file_name,
    {{ neutral_sheet_name('found.sheet', 'sheets.sheet_no') }} as neutral_sheet,
    found.receiving_unit_code,
    found.day,
    found.earlier_day,
    found.cases,
    found.usual,
    found.owner_name_vi
from found
cross join run
inner join {{ ref('stg_deliveries__deliveries') }} as deliveries on found.delivery_id = deliveries.delivery_id
left join {{ ref('int_sheets') }} as sheets
    on found.delivery_id = sheets.delivery_id and found.sheet is not distinct from sheets.sheet
