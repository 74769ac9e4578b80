-- A form row that names a measure that nobody declares, or follows from a row that itself follows from others, would be
-- blank for ever and silently. The measures are those declared in yml, so no delivery is needed to know them.
{%- set declared = ['communes_expected'] %}
{%- if execute %}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' %}
        {%- for measure in node.config.meta.get('measures', []) %}{% do declared.append(measure.id) %}{% endfor %}
    {%- endfor %}
{%- endif %}

with forms as (

    select * from {{ ref('stg_forms__rows') }}

),

names as (

    select form_version, indicator_code, numerator as name from forms where numerator is not null
    union all
    select form_version, indicator_code, denominator as name from forms where denominator is not null

)

select
    form_version,
    indicator_code,
    name
from names
where name not like 'AUX.%' and name not in ('{{ declared | join("', '") }}')

union all

select
    derived.form_version,
    derived.indicator_code,
    parts.indicator_code as name
from forms as derived
inner join forms as parts
    on derived.form_version = parts.form_version
    and (
        '+' || derived.derived_from || '+' like '%+' || parts.indicator_code || '+%'
        or (derived.zero_when_parent_zero and derived.logical_parent_code = parts.indicator_code)
    )
where parts.derived_from is not null
