-- The cases that decisions in effect count as on time: the one a decision is about, or those it names for a row.
with decisions as (

    select * from {{ ref('int_decisions') }}
    where action = 'count_as_on_time' and is_in_effect

),

named as (

    select
        unit_code,
        quarter,
        decision_id,
        dated,
        {{ each_of(
            "case when subject_kind = 'case' then " ~ list_of('subject') ~ " else " ~ split_at('cases', '[;\n]') ~ " end"
        ) }} as case_code
    from decisions

)

select
    unit_code,
    quarter,
    decision_id,
    {{ canonical_case_code('trim(case_code)') }} as case_key,
    min(trim(case_code)) as case_code,
    max(dated) as dated
from named
where trim(case_code) <> ''
group by all
