{#
    Median and 90th percentile of working days, by key, from a relation with one row a key and number of working days
    and the cases that took it (`cases_taking`). Nearest rank: the least number of days within which the share of the
    cases was resolved. The median of an even number is the mean of the two in the middle. Counts only, so no double
    decides.
#}
{% macro working_day_quantiles(durations, key) %}
    select
        {{ key | join(', ') }},
        cast(
            (
                min(case when 2 * cases_up_to >= cases_in_all then working_days end)
                + min(case when 2 * cases_up_to >= cases_in_all + 1 then working_days end)
            ) * 0.5 as decimal(9, 1)
        ) as median_working_days,
        cast(
            min(case when 10 * cases_up_to >= 9 * cases_in_all then working_days end) as decimal(9, 1)
        ) as p90_working_days
    from (
        select
            *,
            sum(cases_taking) over (partition by {{ key | join(', ') }} order by working_days) as cases_up_to,
            sum(cases_taking) over (partition by {{ key | join(', ') }}) as cases_in_all
        from {{ durations }}
    ) as cumulated
    group by {{ key | join(', ') }}
{% endmacro %}
