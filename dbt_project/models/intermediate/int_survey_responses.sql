with latest as (

    {{ latest_in_quarter(ref('stg_survey_responses__responses'), 'rows_delivered.form_number', of_parts='rows') }}

),

-- A form that lies in the folders of two quarters is one form. Numbers begin anew each quarter; days do not.
forms as (

    select
        *,
        row_number() over (
            partition by reporting_unit_code, report_quarter, form_number, responded_on
            order by delivery_rank desc, sheet desc, row_number desc
        ) as place
    from latest

)

select
    forms.reporting_unit_code as unit_code,
    forms.report_quarter as quarter,
    forms.opens_on,
    forms.closes_on,
    forms.year_opens_on,
    forms.delivering_level as unit_level,
    forms.form_number,
    forms.channel,
    forms.responded_on,
    forms.overall_answer,
    forms.overall_answer in ('satisfied', 'very_satisfied') as is_satisfied,
    {{ lineage('forms') }}
from forms
where forms.place = 1
