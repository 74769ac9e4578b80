with scope as (

    select * from {{ ref('int_report_scope') }}

),

units as (

    select * from {{ ref('int_units') }}

),

forms as (

    select * from {{ ref('stg_forms__rows') }}

),

forms_in_force as (

    select * from {{ ref('int_forms_in_force') }}

),

periods as (

    select
        periods.quarter,
        ordered.period_no,
        periods.closes_on,
        periods.decisions_hold_until
    from {{ ref('reporting_periods') }} as periods
    inner join {{ ref('int_periods') }} as ordered on periods.quarter = ordered.quarter

),

delivered as (

    select
        folders.reporting_unit_code as unit_code,
        scope.quarter as report_quarter,
        scope.period_no as report_no,
        scope.made_of as report_made_of,
        scope.closes_on,
        decisions.*,
        first_periods.period_no as first_no,
        last_periods.period_no as last_no,
        decided_units.reporting_unit_code as decided_reporting_unit_code,
        delivered_for.period_no as delivered_no
    from {{ ref('stg_decisions__decisions') }} as decisions
    inner join units as folders
        on decisions.quarter = folders.quarter and decisions.delivering_unit_code = folders.unit_code
    inner join periods as delivered_for on decisions.quarter = delivered_for.quarter
    inner join scope on delivered_for.period_no <= scope.period_no
    left join periods as first_periods on decisions.first_quarter = first_periods.quarter
    left join periods as last_periods on decisions.last_quarter = last_periods.quarter
    left join units as decided_units
        on decisions.quarter = decided_units.quarter
        and folders.reporting_unit_code = decided_units.reporting_unit_code
        and {{ administrative_code('decisions.decided_unit_code') }} = decided_units.unit_code

),

told as (
{{ told_decisions('delivered', 'unit_code, report_quarter') }}
),

-- What a decision saw: "số tính toán = 1; số khai báo = 31", a figure that was not there being "trống".
read as (

    select
        told.*,
        {{ matches_pattern('figures_seen', 'số (tính toán|khai báo)\s*=') }} as saw_figures,
        {{ seen_figure('figures_seen', 'số tính toán') }} as seen_computed,
        {{ seen_figure('figures_seen', 'số khai báo') }} as seen_declared
    from told

),

-- What was decided about a case for a quarter holds for the longer periods that the quarter is part of: it is the same
-- case. A figure of a row, and a finding, are the quarter's alone.
parts_held as (

    select
        read.decision_id,
        read.quarter,
        read.unit_code,
        read.report_quarter
    from read
    inner join periods as parts
        on {{ is_part_of('parts.quarter', 'read.report_made_of') }}
        and parts.period_no between read.first_no and read.last_no
    where read.action = 'count_as_on_time'
    group by read.decision_id, read.quarter, read.unit_code, read.report_quarter

),

-- A decision concerns a period while it holds. One that has run out concerns it only if it was delivered for it.
concerned as (

    select
        read.*,
        parts_held.decision_id is not null as holds_for_part
    from read
    left join parts_held
        on read.decision_id = parts_held.decision_id
        and read.quarter = parts_held.quarter
        and read.unit_code = parts_held.unit_code
        and read.report_quarter = parts_held.report_quarter
    where
        (
            read.first_no <= read.report_no
            and (read.last_quarter is null or read.last_no >= read.report_no or read.quarter = read.report_quarter)
        )
        or parts_held.decision_id is not null

),

judged as (

    select
        concerned.*,
        case
            when coalesce(trim(concerned.reason_vi), '') = '' then 'Thiếu lý do.'
            when coalesce(trim(concerned.approved_by_vi), '') = '' then 'Thiếu cơ quan, chức vụ duyệt.'
            when coalesce(trim(concerned.document_number), '') = '' or concerned.dated is null
                then 'Thiếu số hoặc ngày văn bản.'
            when concerned.last_quarter is null then 'Thiếu kỳ hết hiệu lực.'
            when concerned.last_no < concerned.report_no and not concerned.holds_for_part
                then 'Đã hết hiệu lực sau kỳ ' || concerned.last_quarter || '.'
            when concerned.decided_reporting_unit_code is distinct from concerned.unit_code
                then 'Ghi cho đơn vị khác đơn vị báo cáo.'
            when coalesce(
                last_held.closes_on
                > coalesce(longest.closes_on, case when decided_in.quarter is not null then last_held.closes_on end),
                true
            )
                then 'Hiệu lực dài quá bốn kỳ báo cáo.'
            when
                (concerned.subject_kind = 'row' and concerned.action not in (
                    'accept_declared', 'accept_computed', 'accept_finding', 'withhold', 'count_as_on_time'
                ))
                or (concerned.subject_kind = 'case' and concerned.action <> 'count_as_on_time')
                or (concerned.subject_kind = 'rule' and concerned.action <> 'accept_finding')
                then 'Cách xử lý không dùng được cho loại đối tượng này.'
            when
                concerned.subject_kind = 'row'
                and concerned.action = 'count_as_on_time'
                and coalesce(trim(concerned.cases), '') = ''
                then 'Chưa ghi ở cột “Hồ sơ tính đúng hạn” những hồ sơ nào được tính là đúng hạn.'
            -- Until the figures seen are said, the figure that is chosen must be, and for no other quarter.
            when
                concerned.action in ('accept_declared', 'accept_computed')
                and not coalesce(concerned.saw_figures, false)
                and (concerned.decided_value is null or concerned.first_quarter <> concerned.last_quarter)
                then
                    'Thiếu số liệu đã xem (ghi như: số tính toán = 1; số khai báo = 31).'
            when concerned.subject_kind = 'row' and forms.indicator_code is null
                then 'Biểu báo cáo của kỳ không có chỉ tiêu này.'
        end as problem_vi
    from concerned
    left join periods as decided_in on concerned.first_quarter = decided_in.quarter
    left join periods as longest on decided_in.decisions_hold_until = longest.quarter
    left join periods as last_held on concerned.last_quarter = last_held.quarter
    left join forms_in_force
        on concerned.unit_code = forms_in_force.unit_code and concerned.report_quarter = forms_in_force.quarter
    left join forms
        on forms_in_force.form_version = forms.form_version and concerned.subject = forms.indicator_code

),

-- Decisions are told apart by what they settle: which figure a row shows, how cases count, or a finding for the rows
-- and figures it names. Two that want different figures of one row cancel each other; of two alike, the later counts.
-- Cases counted as on time come before the choice, which is of the figure that they lead to; those of several decisions
-- are counted together.
settling as (

    select
        judged.*,
        case action
            when 'accept_finding' then concat_ws('|', 'finding', applies_to, figures_seen)
            when 'count_as_on_time' then concat_ws('|', 'cases', cases)
        end as settles
    from judged

),

compared as (

    select
        settling.*,
        min(case when problem_vi is null then action end) over subject_window
        <> max(case when problem_vi is null then action end) over subject_window as is_contradicted,
        {{ collected('told_id') }} filter (where problem_vi is null) over subject_window as of_the_subject,
        row_number() over (
            partition by unit_code, report_quarter, subject_kind, subject, settles, problem_vi is null
            order by dated desc, decision_id desc, delivered_no desc
        ) as precedence
    from settling
    window subject_window as (partition by unit_code, report_quarter, subject_kind, subject, settles)

)

select
    compared.unit_code,
    compared.report_quarter as quarter,
    compared.told_id as decision_id,
    compared.subject_kind,
    compared.subject,
    compared.applies_to,
    compared.cases,
    compared.action,
    compared.decided_value,
    compared.figures_seen,
    coalesce(compared.saw_figures, false) as saw_figures,
    compared.seen_computed,
    compared.seen_declared,
    compared.reason_vi,
    compared.approved_by_vi,
    compared.document_number,
    compared.dated,
    compared.first_quarter,
    compared.last_quarter,
    case
        when compared.problem_vi is not null then compared.problem_vi
        when compared.is_contradicted
            then
                'Các quyết định '
                || {{ joined_once('compared.of_the_subject', ', ') }}
                || ' về cùng đối tượng ' || compared.subject || ' trái nhau; giữ một quyết định, bỏ các quyết định kia '
                || 'khỏi sổ rồi gửi lại.'
    end as problem_vi,
    compared.problem_vi is null and not compared.is_contradicted and compared.precedence > 1 as is_repeated,
    compared.problem_vi is null and not compared.is_contradicted and compared.precedence = 1 as is_in_effect,
    {{ lineage('compared') }}
from compared
