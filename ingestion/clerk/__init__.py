"""What the program writes for the clerk: rejection workbooks, and templates filled as far as is known.

Belongs here: how these workbooks look and what they advise. Does not belong here: how they are read when they come back
(``rows.returned``). Begin with ``feedback``.
"""
