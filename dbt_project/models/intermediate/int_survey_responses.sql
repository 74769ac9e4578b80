with latest as (

    {{ latest_in_quarter(ref('stg_survey_responses__responses'), 'rows_delivered.form_number') }}

)

select
    latest.reporting_unit_code as unit_code,
    latest.quarter,
    latest.opens_on,
    latest.closes_on,
    latest.year_opens_on,
    latest.delivering_level as unit_level,
    latest.form_number,
    latest.channel,
    latest.responded_on,
    latest.overall_answer,
    latest.overall_answer in ('satisfied', 'very_satisfied') as is_satisfied,
    {{ lineage('latest') }}
from latest
