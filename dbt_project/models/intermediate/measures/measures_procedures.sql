{{ config(materialized='view') }}

{{ compile_measures(ref('int_procedures'), 'unit_code') }}
