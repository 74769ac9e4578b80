-- One reading a register: the readings and their reasons are in docs/readings.md. A row that does not count says why.
with latest as (

    {{ latest_in_quarter(
        ref('stg_e_document_counts__counts'),
        'rows_delivered.register_unit_code, rows_delivered.counted_month, rows_delivered.document_kind, rows_delivered.topic',
        speaks_for='rows_delivered.register_unit_code',
        of_parts='rows'
    ) }}

),

units as (

    select * from {{ ref('int_units') }}

),

placed as (

    select
        latest.*,
        periods.period_no,
        register_units.unit_level,
        register_units.current_unit_code,
        -- The line of a month counts the days of the month that lie in the window of its folder's period.
        latest.counted_month is null
        or latest.counted_month between {{ first_of_month('periods.opens_on') }} and periods.closes_on as is_in_window,
        -- A count of the whole longer period stands for those of its quarters.
        bool_or(latest.is_of_own_folder) over (
            partition by
                latest.reporting_unit_code, latest.report_quarter, register_units.current_unit_code, latest.topic,
                latest.document_kind
        ) <> latest.is_of_own_folder as is_said_for_whole
    from latest
    inner join {{ ref('int_periods') }} as periods on latest.quarter = periods.quarter
    inner join units as register_units
        on latest.quarter = register_units.quarter
        and {{ administrative_code('latest.register_unit_code') }} = register_units.unit_code
        and latest.reporting_unit_code = register_units.reporting_unit_code

),

-- A total of the window and the lines of its months say the same thing twice: the total counts where there is one.
by_line as (

    select
        *,
        counted_month is null as is_window_total,
        bool_or(is_in_window and counted_month is null) over (
            partition by reporting_unit_code, report_quarter, quarter, current_unit_code, topic, document_kind
        ) as has_window_total,
        bool_or(is_in_window and document_kind = 'all') over (
            partition by reporting_unit_code, report_quarter, quarter, current_unit_code, topic
        ) as has_all_kinds,
        bool_or(is_in_window and document_kind = 'administrative') over (
            partition by reporting_unit_code, report_quarter, quarter, current_unit_code, topic
        ) as has_administrative,
        max(period_no) over (partition by reporting_unit_code, report_quarter, current_unit_code) as last_period_no
    from placed
    where not is_said_for_whole

),

read as (

    select
        *,
        is_in_window and is_window_total = has_window_total as is_counted,
        document_kind = 'all' or (not has_all_kinds and has_administrative) as is_part_of_total
    from by_line

)

select
    read.reporting_unit_code as unit_code,
    read.report_quarter as quarter,
    read.quarter as folder_quarter,
    read.opens_on,
    read.closes_on,
    read.year_opens_on,
    read.unit_level,
    read.current_unit_code as register_unit_code,
    read.counted_month,
    read.document_kind,
    read.topic,
    read.outgoing_total,
    read.electronic_only,
    read.electronic_and_paper,
    read.paper_only,
    read.incoming_total,
    read.incoming_electronic,
    read.connected,
    read.is_in_window,
    read.is_of_own_folder,
    read.period_no = read.last_period_no as is_of_last_folder,
    read.is_counted,
    read.is_counted and read.is_part_of_total and read.topic = 'all' as is_of_all_documents,
    read.is_counted and read.is_part_of_total and read.topic = 'cchc' as is_of_reform_documents,
    read.is_counted and read.document_kind = 'legal_normative' and read.topic = 'all' as is_of_legal_documents,
    {{ lineage('read') }}
from read
