{{ config(materialized='view') }}

{{ compile_measures(ref('int_org_units'), 'unit_code') }}
