"""Asset keys, groups and owners, so that no key is spelled twice.

Belongs here: how an asset is called. Does not belong here: what it depends on, and what it does.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

import dagster as dg

from ingestion import load_contracts

STEWARD = "team:to-so-lieu-cchc"

RECEIPTS = dg.AssetKey(["raw", "deliveries"])
RUN_SCOPE = dg.AssetKey(["raw", "run_scope"])
FORM_ROWS = dg.AssetKey(["raw", "form_rows"])
FORM_EARLIER_ROWS = dg.AssetKey(["raw", "form_earlier_rows"])
UNIT_PASTS = dg.AssetKey(["raw", "unit_pasts"])
SOURCE_COLUMNS = dg.AssetKey(["raw", "source_columns"])
CANDIDATES = dg.AssetKey(["gates", "candidates"])
#: Name of the check on each table that a gate judges.
GATE_CHECK = "rules"
RELEASES = dg.AssetKey(["published", "releases"])
POSTGRES = dg.AssetKey(["published", "postgres"])
PROVINCES = dg.AssetKey(["published", "provinces"])


def landing_key(source: str) -> dg.AssetKey:
    return dg.AssetKey(["landing", source])


def raw_key(source: str) -> dg.AssetKey:
    return dg.AssetKey(["raw", source])


def mart_key(name: str) -> dg.AssetKey:
    return dg.AssetKey(["marts", name])


def published_key(name: str) -> dg.AssetKey:
    return dg.AssetKey(["published", name])


def team(office: str) -> str:
    """An office's name as a Dagster owner: ``Phòng Nội vụ`` is ``team:phong-noi-vu``."""
    plain = unicodedata.normalize("NFD", office.replace("Đ", "D").replace("đ", "d"))
    ascii_only = "".join(c for c in plain if not unicodedata.combining(c)).lower()
    return "team:" + re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")


def is_whole(selection: Collection[dg.AssetKey] | None) -> bool:
    """Whether a run of these assets goes from deliveries to releases; None is all there are."""
    return selection is None or {RELEASES, RECEIPTS, *(raw_key(source) for source in load_contracts())} <= set(
        selection
    )
