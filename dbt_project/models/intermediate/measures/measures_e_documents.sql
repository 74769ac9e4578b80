{{ config(materialized='view') }}

{{ compile_measures(ref('int_e_documents'), 'register_unit_code') }}
