"""Resources whose configuration belongs to one run."""

from __future__ import annotations

import dagster as dg
from pydantic import Field


class Scope(dg.ConfigurableResource):
    """Reporting units a run is for; empty means every unit that delivered."""

    units: list[str] = Field(default_factory=list, description="Codes of reporting units; empty for all.")
