{#
    How a table is made: the one before is dropped and the new one made in one transaction, so that a build that is
    ended leaves the old table or the new one, and nothing beside them. The adapter's own way makes the new one under
    another name, renames the old one, renames the new one, commits, and drops the old one: for indexes, foreign keys
    and grants, of which this project has none, and for a third of what a small build takes.
#}
{% materialization table, adapter="duckdb" %}
  {%- set existing = load_cached_relation(this) -%}
  {%- set made = this.incorporate(type="table") -%}
  {{ run_hooks(pre_hooks) }}
  {% call statement("main") -%}
    {%- if existing is not none %}drop {{ existing.type }} if exists {{ existing }};{% endif %}
    {{ create_table_as(False, made, compiled_code) }}
  {%- endcall %}
  {{ run_hooks(post_hooks) }}
  {{ adapter.commit() }}
  {{ return({"relations": [made]}) }}
{% endmaterialization %}
