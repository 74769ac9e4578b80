-- Where the registers contradict themselves or leave a part open: one row a doubt, with both figures.
with reporting_units as (

    select * from {{ ref('int_reporting_units') }} where is_run_quarter

),

documents as (

    select documents.*
    from {{ ref('int_e_documents') }} as documents
    inner join reporting_units
        on documents.unit_code = reporting_units.unit_code and documents.quarter = reporting_units.quarter
    where documents.is_in_window

),

{% set figures = [
    ('outgoing_total', 'tổng số văn bản đi'),
    ('electronic_only', 'văn bản gửi hoàn toàn điện tử'),
    ('electronic_and_paper', 'văn bản gửi điện tử song song văn bản giấy'),
] %}
document_figures as (

    {% for column, label_vi in figures %}
    select
        unit_code,
        quarter,
        register_unit_code,
        topic,
        document_kind,
        counted_month,
        is_counted,
        is_of_all_documents,
        (extract(year from closes_on) - extract(year from opens_on)) * 12
        + extract(month from closes_on) - extract(month from opens_on) + 1 as months_in_window,
        '{{ label_vi }}' as label_vi,
        {{ column }} as value
    from documents
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

by_line as (

    select
        unit_code,
        quarter,
        register_unit_code,
        topic,
        document_kind,
        label_vi,
        sum(value) filter (where counted_month is null) as of_window,
        sum(value) filter (where counted_month is not null) as of_months,
        count(value) filter (where counted_month is not null) as months_given,
        max(months_in_window) as months_in_window,
        sum(value) filter (where is_counted) as counted
    from document_figures
    group by unit_code, quarter, register_unit_code, topic, document_kind, label_vi

),

by_topic as (

    select
        unit_code,
        quarter,
        register_unit_code,
        topic,
        label_vi,
        sum(counted) filter (where document_kind = 'all') as of_all_kinds,
        sum(counted) filter (where document_kind <> 'all') as of_kinds
    from by_line
    group by unit_code, quarter, register_unit_code, topic, label_vi

),

-- What adds up to all documents, month by month.
months as (

    select
        unit_code,
        quarter,
        register_unit_code,
        label_vi,
        max(months_in_window) as months_in_window,
        count(distinct counted_month) as months_found,
        count(distinct case when value is not null then counted_month end) as months_given
    from document_figures
    where is_of_all_documents and counted_month is not null
    group by unit_code, quarter, register_unit_code, label_vi

),

persons as (

    select persons.*
    from {{ ref('int_staff') }} as persons
    inner join reporting_units
        on persons.unit_code = reporting_units.unit_code and persons.quarter = reporting_units.quarter
    where persons.is_in_roster

),

named_twice as (

    select
        unit_code,
        quarter,
        person_name_key,
        count(distinct person_key) as codes
    from persons
    where person_name_key is not null
    group by unit_code, quarter, person_name_key
    having count(distinct person_key) > 1

),

served as (

    select
        unit_code,
        quarter,
        person_key,
        count(*) filter (where is_present) as present
    from persons
    group by unit_code, quarter, person_key

),

declared as (

    select declared.*, reporting_units.closes_on
    from {{ ref('int_declared_figures') }} as declared
    inner join reporting_units
        on declared.unit_code = reporting_units.unit_code and declared.quarter = reporting_units.quarter
    where declared.approved_on < reporting_units.closes_on

),

uneven as (

    select
        measures.unit_code,
        measures.quarter,
        declarations.source,
        declarations.requires_vi,
        min(declarations.description_vi) as description_vi,
        max(measures.files_asked) as files_asked,
        min(measures.files_giving) as files_giving
    from {{ ref('int_measures') }} as measures
    inner join reporting_units
        on measures.unit_code = reporting_units.unit_code and measures.quarter = reporting_units.quarter
    inner join {{ ref('dim_measure') }} as declarations on measures.measure = declarations.measure
    where measures.files_giving > 0 and measures.files_giving < measures.files_asked
    group by measures.unit_code, measures.quarter, declarations.source, declarations.requires_vi

),

doubts as (

    {{ register_doubt('months_differ_from_window', "'e_document_counts'", 'register_unit_code', 'of_window', 'of_months', 'label_vi') }}
    from by_line
    where of_months > of_window or (of_months <> of_window and months_given = months_in_window)

    union all

    {{ register_doubt('kinds_exceed_all', "'e_document_counts'", 'register_unit_code', 'of_all_kinds', 'of_kinds', 'label_vi') }}
    from by_topic
    where of_kinds > of_all_kinds

    union all

    {{ register_doubt('months_missing', "'e_document_counts'", 'register_unit_code', 'cast(months_in_window as integer)', 'months_found') }}
    from (select distinct unit_code, quarter, register_unit_code, months_in_window, months_found from months) as counted
    where months_found < months_in_window

    union all

    {{ register_doubt('months_blank', "'e_document_counts'", 'register_unit_code', 'months_found', 'months_given', 'label_vi') }}
    from months
    where months_given > 0 and months_given < months_found

    union all

    {{ register_doubt('name_with_two_codes', "'staffing_roster'", 'unit_code', 'count(*)', 'sum(codes)') }}
    from named_twice
    group by unit_code, quarter

    union all

    {{ register_doubt('present_twice', "'staffing_roster'", 'unit_code', 'count(*)', 'sum(present)') }}
    from served
    where present > 1
    group by unit_code, quarter

    union all

    {{ register_doubt('approved_before_closing', "'declared_returns'", printed_date('approved_on'), printed_date('closes_on'), 'count(*)') }}
    from declared
    group by unit_code, quarter, approved_on, closes_on

    union all

    {{ register_doubt('column_in_some_files', 'source', 'source', 'files_asked', 'files_giving', "description_vi || coalesce(' (' || requires_vi || ')', '')") }}
    from uneven

)

select * from doubts
