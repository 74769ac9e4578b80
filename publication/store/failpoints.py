"""Named points at which the process can be made to die, so that crash tests reach every step of publication.

Belongs here: the names and the way to die. Does not belong here: what must hold afterwards (the kill tests say that).
The environment variable ``CCHC_FAILPOINT`` names the point; without it every point is a no-op.
"""

from __future__ import annotations

import os
import signal

ENVIRONMENT_VARIABLE = "CCHC_FAILPOINT"

#: In the order in which a publication passes them.
FAILPOINTS = (
    "publish.locked",
    "publish.staging_created",
    "publish.outputs_written",
    "publish.outputs_read_back",
    "publish.manifest_written",
    "publish.staging_synced",
    "publish.intent_written",
    "publish.renamed",
    "publish.made_read_only",
    "pointer.temporary_written",
    "pointer.replaced",
    "publish.pointer_moved",
    "publish.intent_cleared",
    "index.temporary_written",
    "publish.indexed",
)


def reach(name: str) -> None:
    """Die here by SIGKILL, as a power cut would have it, when the environment names this point."""
    if name not in FAILPOINTS:
        raise ValueError(f"undeclared failpoint: {name}")
    if os.environ.get(ENVIRONMENT_VARIABLE) == name:
        os.kill(os.getpid(), signal.SIGKILL)
