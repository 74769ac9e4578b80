"""What Dagster loads (``workspace.yaml``): the definitions of the configured home, and nothing else."""

from orchestration.build import build_definitions

defs = build_definitions()
