select
    procedures.unit_code,
    procedures.quarter,
    procedures.procedure_code,
    procedures.procedure_name_vi,
    procedures.field_vi,
    fields.field_code,
    procedures.applies_district,
    procedures.applies_commune,
    procedures.valid_from,
    procedures.ended_on,
    procedures.is_in_force,
    procedures.interlinked,
    procedures.time_limit,
    procedures.shortened_time_limit,
    procedures.online_eligible_level,
    procedures.online_offered_level,
    procedures.on_national_portal,
    procedures.postal_service
from {{ ref('int_procedures_listed') }} as procedures
inner join {{ ref('int_report_scope') }} as scope
    on procedures.quarter = scope.quarter and scope.is_run_quarter
left join {{ ref('procedure_fields') }} as fields on procedures.field_vi = fields.field_name_vi
where procedures.describes_procedure
