"""The tables of a release as files: annex, form II.06a, data package, database, and the manifest over them.

Belongs here: one module a file, each with the way back that proves it. Does not belong here: running text (``letter``),
the page. Begin with ``annex``.
"""
