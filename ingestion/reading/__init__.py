"""Files become grids of cells, whatever program wrote them; nothing here knows a contract.

Belongs here: one module a format, the checks before a file is opened (``preflight``) and the child process in which
workbooks are parsed (``sandbox``, ``workbook_worker``). Does not belong here: where the header is, what a column means
(``rows``). Begin with ``files.read_sheets``.
"""
