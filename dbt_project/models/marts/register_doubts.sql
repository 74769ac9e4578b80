-- Where the registers contradict themselves or leave a part open: one row a doubt, with both figures.
with reporting_units as (

    select * from {{ ref('int_reporting_units') }} where is_run_quarter

),

documents as (

    select documents.*
    from {{ ref('int_e_documents') }} as documents
    inner join reporting_units
        on documents.unit_code = reporting_units.unit_code and documents.quarter = reporting_units.quarter
    where documents.is_in_window and documents.is_of_own_folder

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

    select
        persons.*,
        reporting_units.unit_level as reporting_level
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

-- Days on which something happened: they stay as they were told in the quarter before. Told once there, and once here.
{% set facts = [
    ('int_staff', 'staffing_roster', 'recruited_on', "person_key || '|' || working_unit_code", 'is_in_roster'),
    ('int_staff', 'staffing_roster', 'left_on', "person_key || '|' || working_unit_code", 'is_in_roster'),
    ('int_procedures_listed', 'procedure_catalogue', 'valid_from', 'procedure_code', 'true'),
    ('int_procedures_listed', 'procedure_catalogue', 'ended_on', 'procedure_code', 'true'),
    ('int_plan_tasks', 'plan_tasks', 'done_on', "plan_kind || '|' || plan_year || '|' || task_code", 'true'),
] %}
days_told as (

    {% for model, source, column, key, condition in facts %}
    select
        unit_code,
        quarter,
        '{{ source }}' as source,
        '{{ column }}' as column_name,
        {{ key }} as key,
        max({{ column }}) as day
    from {{ ref(model) }}
    where {{ condition }}
    group by unit_code, quarter, {{ key }}
    having count(*) = 1
    {{ 'union all' if not loop.last }}
    {% endfor %}

),

told_before as (

    select
        days_told.unit_code,
        days_told.quarter,
        days_told.source,
        days_told.column_name,
        days_told.day,
        before.day as day_before,
        scope.closes_on as closed_before
    from days_told
    inner join reporting_units
        on days_told.unit_code = reporting_units.unit_code and days_told.quarter = reporting_units.quarter
    inner join {{ ref('int_report_scope') }} as scope on scope.is_previous_quarter
    inner join days_told as before
        on days_told.unit_code = before.unit_code
        and scope.quarter = before.quarter
        and days_told.column_name = before.column_name
        and days_told.key = before.key

),

told_anew as (

    select
        unit_code,
        quarter,
        source,
        column_name,
        -- What had not happened yet may have by now.
        count(*) filter (where day_before <= closed_before) as told,
        -- A day that is no longer told has changed too, also where the whole column is empty or gone.
        count(*) filter (where day_before <= closed_before and day is distinct from day_before) as changed,
        -- What happened before the last closing and was not told, or told of a later day, then: no quarter counts it.
        count(*) filter (
            where column_name in ('left_on', 'ended_on')
                and day <= closed_before
                and coalesce(day_before > closed_before, true)
        ) as late
    from told_before
    group by unit_code, quarter, source, column_name

),

titled_days as (

    select told_anew.*, columns.source_title_vi || ', cột “' || columns.title_vi || '”' as title_vi
    from told_anew
    inner join {{ source('run', 'source_columns') }} as columns
        on told_anew.source = columns.source and told_anew.column_name = columns.column_name

),

-- Who works where: kinds of staff and of leaders go with kinds of units. A line that names the district alone does not
-- say which of its units is meant. The departments of a commune that reports by itself have the commune's own staff.
placed as (

    select
        unit_code,
        quarter,
        working_unit_code,
        count(distinct person_key) as persons,
        count(distinct person_key) filter (
            where not case
                when category in ('commune_official', 'commune_civil_servant')
                    then working_unit_type = 'commune'
                        or (reporting_level = 'commune' and working_unit_type = 'department')
                when category in ('official', 'district_civil_servant')
                    then working_unit_type in ('district', 'department')
                when category = 'public_employee'
                    then working_unit_type in ('public_service_unit', 'public_service_subunit', reporting_level)
                else true
            end
            or not case leadership
                when 'district_leader' then working_unit_type = 'district'
                when 'department_leader' then working_unit_type in ('district', 'department')
                when 'subordinate_unit_leader' then working_unit_type <> 'commune'
                when 'commune_leader'
                    then working_unit_type = 'commune'
                        or (reporting_level = 'commune' and working_unit_type = 'department')
                else true
            end
        ) as misplaced
    from persons
    group by unit_code, quarter, working_unit_code

),

-- Cases of procedures that the catalogue does not have at their level: an old catalogue, or wrong codes.
listed as (

    select
        unit_code,
        quarter,
        procedure_code,
        max(case when applies_district then 1 else 0 end) as at_district,
        max(case when applies_commune then 1 else 0 end) as at_commune
    from {{ ref('int_procedures_listed') }}
    group by unit_code, quarter, procedure_code

),

unlisted as (

    select
        cases.unit_code,
        cases.quarter,
        cases.procedure_code,
        cases.unit_level,
        count(*) as cases_received
    from {{ ref('int_cases') }} as cases
    inner join reporting_units
        on cases.unit_code = reporting_units.unit_code and cases.quarter = reporting_units.quarter
    -- Where there is no catalogue at all it is the catalogue that is missing.
    inner join (select distinct unit_code, quarter from listed) as catalogues
        on cases.unit_code = catalogues.unit_code and cases.quarter = catalogues.quarter
    left join listed
        on cases.unit_code = listed.unit_code
        and cases.quarter = listed.quarter
        and cases.procedure_code = listed.procedure_code
    where
        cases.is_received
        and cases.procedure_code is not null
        and coalesce(case cases.unit_level when 'district' then listed.at_district else listed.at_commune end, 0) = 0
    group by cases.unit_code, cases.quarter, cases.procedure_code, cases.unit_level

),

-- A plan is carried out in its year; what was done before is a day of another year, or a task of an earlier plan.
tasks_done as (

    select
        tasks.unit_code,
        tasks.quarter,
        count(*) as tasks,
        count(*) filter (where extract(year from tasks.done_on) < tasks.plan_year) as too_early
    from {{ ref('int_plan_tasks') }} as tasks
    inner join reporting_units
        on tasks.unit_code = reporting_units.unit_code and tasks.quarter = reporting_units.quarter
    where tasks.is_of_the_year and tasks.done_on is not null
    group by tasks.unit_code, tasks.quarter

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

-- A longer period asks only about what lies in its own folder: its quarters have asked about theirs.
asked as (

    select distinct
        units.reporting_unit_code as unit_code,
        made_from.source
    from {{ ref('int_report_deliveries') }} as made_from
    inner join {{ ref('int_report_scope') }} as scope
        on made_from.report_quarter = scope.quarter and scope.is_run_quarter
    inner join {{ ref('int_units') }} as units
        on made_from.quarter = units.quarter and made_from.delivering_unit_code = units.unit_code
    where made_from.is_of_own_folder

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

    {{ register_doubt('staff_in_other_units', "'staffing_roster'", 'working_unit_code', 'persons', 'misplaced') }}
    from placed
    where misplaced > 0

    union all

    {{ register_doubt('day_told_anew', 'source', 'column_name', 'told', 'changed', 'title_vi') }}
    from titled_days
    where 20 * changed > told

    union all

    {{ register_doubt('day_told_late', 'source', 'column_name', "'0'", 'late', 'title_vi') }}
    from titled_days
    where late > 0

    union all

    {{ register_doubt('done_before_plan_year', "'plan_tasks'", 'unit_code', 'tasks', 'too_early') }}
    from tasks_done
    where too_early > 0

    union all

    {{ register_doubt('procedure_not_listed', "'procedure_catalogue'", 'procedure_code', "'0'", 'cases_received', "case unit_level when 'district' then 'cấp huyện' else 'cấp xã' end") }}
    from unlisted

    union all

    {{ register_doubt('approved_before_closing', "'declared_returns'", printed_date('approved_on'), printed_date('closes_on'), 'count(*)') }}
    from declared
    group by unit_code, quarter, approved_on, closes_on

    union all

    {{ register_doubt('column_in_some_files', 'source', 'source', 'files_asked', 'files_giving', "description_vi || coalesce(' (' || requires_vi || ')', '')") }}
    from uneven

)

select doubts.*
from doubts
inner join {{ ref('int_report_scope') }} as scope on doubts.quarter = scope.quarter
left join asked on doubts.unit_code = asked.unit_code and doubts.source = asked.source
where scope.made_of = '' or asked.unit_code is not null
