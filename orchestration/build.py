"""Dagster definitions, built by one function that tests can call with other settings and other resources.

Belongs here: putting assets, checks, job, schedule and sensor together.
Does not belong here: any of them.
"""

from __future__ import annotations

from typing import Any

import dagster as dg

from ingestion import load_contracts
from orchestration.assets.columns import Catalogue
from orchestration.assets.dbt_models import asset_keys, dbt_models, load_manifest, model_names, run_files
from orchestration.assets.gates import candidates, mart_gate, raw_gate
from orchestration.assets.landing import landing_asset
from orchestration.assets.published import postgres_asset, provinces_asset, published_assets
from orchestration.assets.raw import raw_asset
from orchestration.column_lineage import Columns
from orchestration.dbt import ensure_manifest
from orchestration.jobs import daily_look_job, quarter_job
from orchestration.resources import Scope, pipeline_of_run
from orchestration.schedules import closing_schedule, daily_schedule
from orchestration.sensors import failure_alert, landing_watch
from orchestration.settings import Settings, load_settings


def build_definitions(
    settings: Settings | None = None, columns: Columns | None = None, **resources: Any
) -> dg.Definitions:
    """All definitions for one home. ``resources`` replace those of the same name (``scope``, ``pipeline``).

    ``columns``: where every column comes from, for those who look at definitions (``column_lineage``).

    Raises ``DbtError`` where the dbt project cannot be parsed.
    """
    settings = settings or load_settings()
    contracts = load_contracts()
    manifest = load_manifest(ensure_manifest())
    marts = model_names(manifest, "marts")
    catalogue = Catalogue(columns or {}, asset_keys(manifest))
    job = quarter_job()
    return dg.Definitions(
        assets=[
            *(landing_asset(contract) for contract in contracts.values()),
            *(raw_asset(contract, catalogue) for contract in contracts.values()),
            *run_files(),
            dbt_models(manifest, catalogue),
            candidates(marts),
            published_assets(marts, catalogue),
            *([postgres_asset()] if settings.postgres_url else []),
            *([provinces_asset()] if settings.provinces else []),
        ],
        asset_checks=[raw_gate(contracts), mart_gate(marts)],
        jobs=[job],
        schedules=[closing_schedule(settings, job), daily_schedule(settings, daily_look_job(settings))],
        sensors=[failure_alert(settings), landing_watch(settings, job, contracts)],
        resources={"scope": Scope(), "pipeline": pipeline_of_run(settings), **resources},
        # Steps of one quarter share one process: starting a process a step costs more than the step.
        executor=dg.in_process_executor,
    )
