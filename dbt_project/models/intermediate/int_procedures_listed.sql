with latest as (

    {{ latest_in_quarter(
        ref('stg_procedure_catalogue__procedures'), 'rows_delivered.procedure_code, rows_delivered.valid_from',
        of_parts='register'
    ) }}

),

flagged as (

    select
        latest.*,
        latest.valid_from <= latest.closes_on
        and (latest.ended_on is null or latest.ended_on > latest.closes_on) as is_in_force
    from latest

)

select
    flagged.reporting_unit_code as unit_code,
    flagged.report_quarter as quarter,
    flagged.opens_on,
    flagged.closes_on,
    flagged.year_opens_on,
    flagged.delivering_level as unit_level,
    flagged.procedure_code,
    flagged.procedure_name_vi,
    coalesce(flagged.field_vi, 'Chưa xác định') as field_vi,
    -- Not asked of lists since there are no districts.
    coalesce(flagged.applies_district, false) as applies_district,
    flagged.applies_commune,
    flagged.valid_from,
    flagged.ended_on,
    flagged.interlinked,
    flagged.internal_process_electronic,
    flagged.time_limit,
    flagged.shortened_time_limit,
    {{ answered_at_once('coalesce(flagged.shortened_time_limit, flagged.time_limit)') }} as is_answered_at_once,
    flagged.shortened_on,
    flagged.components_reduced_on,
    flagged.online_eligible_level,
    flagged.online_offered_level,
    flagged.on_national_portal,
    flagged.has_fee,
    flagged.online_payment,
    flagged.postal_service,
    flagged.reviewed_on,
    flagged.is_in_force,
    -- One record a code describes the procedure: the one in force, else the last.
    row_number() over (
        partition by flagged.reporting_unit_code, flagged.report_quarter, flagged.procedure_code
        order by case when flagged.is_in_force then 0 else 1 end, flagged.valid_from desc
    ) = 1 as describes_procedure,
    {{ lineage('flagged') }}
from flagged
