-- Causes of lateness by declared phrases. What a clerk wrote may name a person, so only the class goes further.
with reasons as (

    select distinct late_reason_vi
    from {{ ref('stg_one_stop_cases__cases') }}
    where late_reason_vi is not null

),

matched as (

    select
        reasons.late_reason_vi,
        causes.cause_code,
        row_number() over (partition by reasons.late_reason_vi order by causes.rank, causes.phrase) as preference
    from reasons
    inner join {{ ref('late_causes') }} as causes
        on lower(reasons.late_reason_vi) like '%' || causes.phrase || '%' and causes.phrase is not null

)

select
    reasons.late_reason_vi,
    coalesce(matched.cause_code, 'other') as late_cause
from reasons
left join matched on reasons.late_reason_vi = matched.late_reason_vi and matched.preference = 1
