"""What every workbook that this program writes has in common.

Belongs here: what keeps the same content the same bytes. Does not belong here: sheets, looks and words.
"""

from __future__ import annotations

import datetime as dt

#: The day of making that a workbook states, so that it does not depend on the clock.
NO_DATE = dt.datetime(1980, 1, 1, tzinfo=dt.UTC)
