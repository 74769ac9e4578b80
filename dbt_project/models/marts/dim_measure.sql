with declared as (

    {{ declared_measures() }}

),

-- The headings a file may lack and the measure cannot do without.
asked as (

    select
        declared.measure,
        {{ joined_in_order(
            "' “' || columns.title_vi || '”'"
            ~ " || case when columns.source = declared.source then '' else ' (tệp «' || columns.source_title_vi || '»)' end",
            'columns.source || columns.column_name'
        ) }} as titles_vi
    from declared
    inner join {{ source('run', 'source_columns') }} as columns
        on columns.is_required = 'false'
        and (
            ', ' || replace(declared.needs, '|', ', ' || columns.source || '.') || ','
            like '%, ' || columns.source || '.' || columns.column_name || ',%'
        )
    group by declared.measure

)

select
    declared.measure,
    declared.source,
    declared.aggregation,
    declared.aggregated_column,
    declared.period_basis,
    declared.unit_level,
    declared.description_vi,
    declared.description,
    declared.row_filter,
    declared.date_column,
    declared.requires,
    coalesce(declared.requires_vi, ltrim(asked.titles_vi)) as requires_vi,
    declared.requires_measure,
    declared.needs
from declared
left join asked on declared.measure = asked.measure
