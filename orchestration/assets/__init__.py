"""Assets by group, in the order of the way of a figure: landing, raw, gates, dbt's models, published.

Belongs here: what depends on what, and what Dagster shows of it.
Does not belong here: doing the work. ``orchestration.stages`` calls the rooms.
"""
