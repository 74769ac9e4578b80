-- The identities printed in the form's head, and groups and total as the sums of their rows.
with form as (

    select * from {{ ref('case_form_06a') }}

),

sums as (

    select unit_code, quarter, clock, breakdown, unit_level, {{ form_06a_sums() }}
    from form
    where row_kind = 'row'
    group by unit_code, quarter, clock, breakdown, unit_level

    union all

    select unit_code, quarter, clock, breakdown, 'all' as unit_level, {{ form_06a_sums() }}
    from form
    where row_kind = 'group'
    group by unit_code, quarter, clock, breakdown

)

select form.unit_code, form.quarter, form.clock, form.breakdown, form.row_no
from form
left join sums
    on form.row_kind <> 'row'
    and form.unit_code = sums.unit_code
    and form.quarter = sums.quarter
    and form.clock = sums.clock
    and form.breakdown = sums.breakdown
    and form.unit_level = sums.unit_level
where
    form.to_resolve <> form.received_online + form.received_direct_or_postal + form.carried_over
    or form.resolved <> form.resolved_early + form.resolved_on_time + form.resolved_late
    + form.resolved_without_appointment
    or form.in_progress <> form.in_progress_within_due + form.in_progress_overdue
    or form.to_resolve <> form.resolved + form.in_progress
    or (
        form.row_kind <> 'row'
        and (
            sums.to_resolve is null
            {% for column in form_06a_columns() %}
            or form.{{ column }} <> sums.{{ column }}
            {% endfor %}
        )
    )
