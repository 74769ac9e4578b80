select * from ({{ declared_measures() }}) as declarations
