{{ config(materialized='view') }}

{{ compile_measures(ref('int_plan_tasks'), 'unit_code') }}
