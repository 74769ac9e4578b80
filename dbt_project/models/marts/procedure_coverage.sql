with procedures as (

    select
        procedures.*,
        case
            when procedures.applies_district and procedures.applies_commune then 'both'
            when procedures.applies_district then 'district'
            when procedures.applies_commune then 'commune'
            else 'none'
        end as applies_at
    from {{ ref('int_procedures') }} as procedures
    inner join {{ ref('int_reporting_units') }} as reporting_units
        on procedures.unit_code = reporting_units.unit_code
        and procedures.quarter = reporting_units.quarter
        and reporting_units.is_run_quarter
    where procedures.describes_procedure

)

select
    procedures.unit_code,
    procedures.quarter,
    procedures.field_vi,
    procedures.applies_at,
    fields.field_code,
    count(*) filter (where is_in_force) as in_force,
    count(*) filter (where valid_from between opens_on and closes_on) as announced,
    count(*) filter (where ended_on between opens_on and closes_on) as ended,
    count(*) filter (where is_in_force and interlinked = 'same_level') as interlinked_same_level,
    count(*) filter (where is_in_force and interlinked = 'cross_level') as interlinked_cross_level,
    count(*) filter (where is_in_force and internal_process_electronic) as electronic_process,
    count(*) filter (where is_in_force and online_eligible_level = 'level_3') as eligible_level_3,
    count(*) filter (where is_in_force and online_eligible_level = 'level_4') as eligible_level_4,
    count(*) filter (where is_in_force and online_offered_level = 'level_3') as offered_level_3,
    count(*) filter (where is_in_force and online_offered_level = 'level_4') as offered_level_4,
    count(*) filter (where is_in_force and online_eligible_level <> 'none' and online_offered_level is null) as offered_level_not_said,
    count(*) filter (where is_in_force and on_national_portal) as on_national_portal,
    count(*) filter (where is_in_force and postal_service) as postal_service,
    count(*) filter (where is_in_force and cases_received > 0) as with_cases,
    count(*) filter (where is_in_force and online_cases_received > 0) as with_online_cases,
    cast(sum(cases_received) as bigint) as cases_received,
    cast(sum(online_cases_received) as bigint) as online_cases_received
from procedures
left join {{ ref('procedure_fields') }} as fields on procedures.field_vi = fields.field_name_vi
group by procedures.unit_code, procedures.quarter, procedures.field_vi, procedures.applies_at, fields.field_code
