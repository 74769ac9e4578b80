{#
    The decisions that the lines of registers are, each under the name by which it is told (`told_id`), and the place of
    the last period whose register gives its number (`last_delivered_no`). Gate 1 reads this macro too, so that both
    gates call a decision the same; so it is plain SQL and calls no other.

    Of a register that was sent again, or that gives a number twice, the later line holds. Each quarter numbers its
    register from the beginning: a line that a later quarter's register carries along is one decision, another one under
    the same number is told apart by the quarter that it was delivered for.

    `delivered`: relation of lines with the columns of `stg_decisions__decisions` and `delivered_no`, the place of the
    period that they were delivered for. `of_one`: the columns within which numbers are compared.
#}
{% macro told_decisions(delivered, of_one) %}
    select
        told.*,
        case
            when told.delivered_no < told.last_delivered_no then told.decision_id || ' (' || told.quarter || ')'
            else told.decision_id
        end as told_id
    from (
        select
            carried_lines.*,
            max(delivered_no) over (partition by {{ of_one }}, decision_id) as last_delivered_no
        from (
            select
                current_lines.*,
                row_number() over (
                    partition by
                        {{ of_one }}, decision_id, subject_kind, subject, action, applies_to, cases, figures_seen,
                        first_quarter, last_quarter
                    order by delivered_no desc
                ) as carried
            from (
                select
                    delivered_lines.*,
                    row_number() over (
                        partition by {{ of_one }}, quarter, decision_id
                        order by delivery_rank desc, sheet desc, row_number desc
                    ) as recency
                from {{ delivered }} as delivered_lines
            ) as current_lines
            where recency = 1
        ) as carried_lines
        where carried = 1
    ) as told
{% endmacro %}
