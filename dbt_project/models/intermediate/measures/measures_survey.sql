{{ config(materialized='view') }}

{{ compile_measures(ref('int_survey_responses'), 'unit_code') }}
