"""Orchestration: when each step runs, in what order, with which settings; the command line.

Belongs here: Dagster definitions, settings, the schedule, running dbt, the ``cchc`` command.
Does not belong here: reading files, indicators, rules, forms. Each has its own room, called through its public names.
"""
