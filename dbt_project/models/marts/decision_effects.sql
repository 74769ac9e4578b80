with decisions as (

    select decisions.*
    from {{ ref('int_decisions') }} as decisions
    inner join {{ ref('int_reporting_units') }} as reporting_units
        on decisions.unit_code = reporting_units.unit_code
        and decisions.quarter = reporting_units.quarter
        and reporting_units.is_run_quarter

),

decided_rows as (

    select * from {{ ref('int_indicator_values') }} where decision_id is not null

),

-- Cases that a decision names and that are late, or not known to be on time, nowhere in the quarter.
strangers as (

    select
        named.unit_code,
        named.quarter,
        named.decision_id,
        count(*) as cases_not_late,
        {{ first_in_order('named.case_code', 5, ', ') }} as some_codes
    from {{ ref('int_decided_cases') }} as named
    where not exists (
        select 1 from {{ ref('int_cases') }} as cases
        where
            cases.unit_code = named.unit_code
            and cases.quarter = named.quarter
            and cases.case_key = named.case_key
            and cases.decision_id is not null
    )
    group by named.unit_code, named.quarter, named.decision_id

),

-- Of a case that several decisions name, each has settled it.
settled_cases as (

    select distinct
        named.unit_code,
        named.quarter,
        named.decision_id
    from {{ ref('int_decided_cases') }} as named
    inner join {{ ref('int_cases') }} as cases
        on named.unit_code = cases.unit_code
        and named.quarter = cases.quarter
        and named.case_key = cases.case_key
    where cases.decision_id is not null

),

judged as (

    select
        decisions.*,
        coalesce(decided_rows.is_decided, false) as settles_row,
        settled_cases.decision_id is not null as settles_case,
        -- The figure a decision names must be the figure it leads to.
        decisions.subject_kind = 'row'
        and decisions.decided_value is not null
        and decided_rows.is_decided
        and decided_rows.value is not null
        and decisions.decided_value <> decided_rows.value as names_other_value,
        -- The row is still open: the decision was made for other figures.
        coalesce(decided_rows.status = 'unsettled', false) as saw_other_figures,
        coalesce(strangers.cases_not_late, 0) as cases_not_late,
        strangers.some_codes,
        decisions.first_quarter = decisions.quarter as is_new
    from decisions
    left join decided_rows
        on decisions.unit_code = decided_rows.unit_code
        and decisions.quarter = decided_rows.quarter
        and decisions.decision_id = decided_rows.decision_id
    left join settled_cases
        on decisions.unit_code = settled_cases.unit_code
        and decisions.quarter = settled_cases.quarter
        and decisions.decision_id = settled_cases.decision_id
    left join strangers
        on decisions.unit_code = strangers.unit_code
        and decisions.quarter = strangers.quarter
        and decisions.decision_id = strangers.decision_id

),

effects as (

    select
        judged.*,
        case
            when judged.problem_vi is not null or judged.names_other_value then 'invalid'
            when judged.saw_other_figures and judged.is_new then 'invalid'
            when judged.subject_kind = 'row' and judged.cases_not_late > 0 and judged.is_new then 'invalid'
            when judged.is_repeated then 'no_effect'
            when judged.action = 'accept_finding' then 'covers_findings'
            when judged.settles_row or judged.settles_case then 'applied'
            else 'no_effect'
        end as effect
    from judged

)

select
    unit_code,
    quarter,
    decision_id,
    effect,
    subject_kind,
    subject,
    action,
    applies_to,
    cases,
    figures_seen,
    case
        when problem_vi is not null then problem_vi
        when effect = 'invalid' and subject_kind = 'row' and cases_not_late > 0
            then
                'Có ' || cases_not_late || ' hồ sơ ghi trong quyết định không trễ hạn trong kỳ: ' || some_codes
                || case when cases_not_late > 5 then ', …' else '' end || '.'
        when saw_other_figures then 'Lập cho số liệu khác với số liệu nay có: ' || figures_seen || '.'
        when effect = 'invalid' then 'Số liệu ghi trong quyết định khác số liệu mà quyết định dẫn tới.'
        when effect = 'no_effect' and is_repeated then 'Trùng với một quyết định sau về cùng đối tượng.'
        when effect = 'no_effect' and action = 'count_as_on_time'
            then 'Không có hồ sơ trễ hạn nào trong kỳ mang mã này.'
        when effect = 'no_effect' then 'Số tính toán và số khai báo của chỉ tiêu không khác nhau.'
    end as problem_vi,
    reason_vi,
    approved_by_vi,
    document_number,
    dated,
    first_quarter,
    last_quarter
from effects
