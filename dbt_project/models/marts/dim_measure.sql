{{ declared_measures() }}
