"""What Dagster loads (``workspace.yaml``): the definitions of the configured home.

Belongs here: nothing else; what the definitions are made of is put together in ``build``.
"""

from orchestration.build import build_definitions
from orchestration.column_lineage import column_lineage
from orchestration.record_storage import keep_engines

keep_engines()
defs = build_definitions(columns=column_lineage())
