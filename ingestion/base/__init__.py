"""What every room of ingestion stands on: contracts, places on disk, limits, reference data, what a remark is.

Belongs here: declarations (``contracts``, ``limits``), the lake's files and folders (``lake``, ``paths``), the seeds as
ingestion sees them (``reference``), cells, faults and remarks as values (``readings``, ``cell_fault``, ``remarks``).
Does not belong here: whatever reads a file or judges a row. Begin with ``contracts``.
"""
