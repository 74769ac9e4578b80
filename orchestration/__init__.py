"""Orchestration: when each step runs, in what order, with which settings; the command line.

Belongs here: Dagster definitions, settings, the schedule, running dbt, the ``cchc`` command.
Does not belong here: reading files, indicators, rules, forms. Each has its own room, called through its public names.

To read on, begin with ``stages``: the walk of a quarter, one function a stage. Each is handed a ``pipeline``: settings,
processes, who reports (``units``), what arrived (``deliveries``), what came of the run so far (``outcomes``). ``build``
puts ``assets``, ``jobs``, ``schedules`` and ``sensors`` together for Dagster; ``cli`` runs the job in the terminal.
"""
