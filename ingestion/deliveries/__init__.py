"""What was delivered, by whom, in which version, and what has become of it.

Belongs here: the landing folder, the ledger of receipts, the order of versions, retention, remarks on files that are no
delivery. Does not belong here: what stands in a file (``rows``). Begin with ``ledger``.
"""
