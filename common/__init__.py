"""What every room needs and no room owns: durable files, hashes, canonical JSON, reporting periods.

Belongs here: a fact or a step that two rooms would otherwise each have their own of, and that knows nothing of
deliveries, gates or releases. Does not belong here: anything with a meaning in the report. Begin with ``files``.
"""
