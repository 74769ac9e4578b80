with procedures as (

    select * from {{ ref('int_procedures_listed') }}

),

used as (

    select
        unit_code,
        quarter,
        procedure_code,
        count(*) as cases_received,
        count(*) filter (where channel = 'online') as online_cases_received
    from {{ ref('int_cases') }}
    where is_received
    group by unit_code, quarter, procedure_code

)

select
    procedures.*,
    case when procedures.describes_procedure then coalesce(used.cases_received, 0) else 0 end as cases_received,
    case
        when procedures.describes_procedure then coalesce(used.online_cases_received, 0) else 0
    end as online_cases_received
from procedures
left join used
    on procedures.unit_code = used.unit_code
    and procedures.quarter = used.quarter
    and procedures.procedure_code = used.procedure_code
