{{ config(materialized='view') }}

{{ compile_measures(ref('int_cases'), 'receiving_unit_code') }}
