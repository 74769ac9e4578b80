{{ config(meta={'dagster': {'ref': {'name': 'figure_rows'}}}) }}
-- Every row of the form ends at rows of the source that it is counted from: cases for a number of cases, and not the
-- procedures they are of.
with counted as (

    select distinct forms.indicator_code, forms.source, forms.numerator as figure
    from {{ ref('stg_forms__rows') }} as forms
    inner join {{ ref('dim_measure') }} as measures on forms.numerator = measures.measure

)

select
    counted.indicator_code,
    counted.source,
    deliveries.source as source_of_rows,
    count(*) as places
from counted
inner join {{ ref('figure_rows') }} as behind on counted.figure = behind.figure
left join {{ ref('stg_deliveries__deliveries') }} as deliveries on behind.delivery_id = deliveries.delivery_id
where counted.source is distinct from deliveries.source
group by counted.indicator_code, counted.source, deliveries.source
