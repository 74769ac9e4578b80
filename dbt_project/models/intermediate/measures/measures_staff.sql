{{ config(materialized='view') }}

{{ compile_measures(ref('int_staff'), 'administrative_unit_code') }}
