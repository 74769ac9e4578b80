"""Grids become accepted and rejected rows of a source, and every row of the file is accounted for.

Belongs here: the walk of one delivery from header to verdict (``intake``) and each of its steps: headings, columns,
values, totals, furniture, what was passed over. Does not belong here: opening files (``reading``), which of them
counts (``deliveries``). Begin with ``intake.read_delivery``.
"""
