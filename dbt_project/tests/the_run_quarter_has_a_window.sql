-- Exactly one quarter is asked for, and it is one the reference table knows; else every mart would be empty.
select count(*) as quarters_in_scope
from {{ ref('int_report_scope') }}
where is_run_quarter
having count(*) <> 1
