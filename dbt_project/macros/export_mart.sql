{#
    Post-hook of every mart: writes it to <CCHC_WAREHOUSE>/build/marts/<mart>.parquet. The caller makes the folder (and
    empties it first, so that a mart that failed to build leaves no file behind).
    The columns of a mart begin with its key, so ordering by all of them is a total order.
#}
{% macro export_mart() %}
    {{ write_parquet(this, env_var('CCHC_WAREHOUSE', '../data/warehouse') ~ '/build/marts/' ~ this.identifier ~ '.parquet') }}
{% endmacro %}
