"""Reading a declaration: a YAML file of the project or of a home.

Belongs here: how such a file is read. Does not belong here: what it may say, which its reader's model tells.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

#: The safe loader, in C where it was built: declarations are read at every start.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_yaml(path: Path) -> Any:
    """What the file says; None where it is empty. Raises ``OSError`` and ``yaml.YAMLError``."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
