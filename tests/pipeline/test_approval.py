"""The sample before it is published: the draft that an official looks through, and the approval that publishes it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from common.files import remove_tree
from publication import read_draft
from tests.conftest import CliResult
from tests.pipeline.test_runbook import _follow as follow

Q, UNIT = "2023-Q1", "945"
WORD = ("--by", "Chủ tịch UBND huyện", "--document", "12/QĐ-UBND ngày 05/04/2023")


@pytest.fixture
def home(published_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sample, checked and not published yet, where releases wait for an approval."""
    shutil.copytree(published_home, tmp_path / "home", symlinks=True)
    remove_tree(tmp_path / "home" / "published")
    for name in ("journal.jsonl", "alerts.json"):  # of the release that is gone
        (tmp_path / "home" / "logs" / name).unlink()
    monkeypatch.setenv("CCHC_APPROVAL", "recorded")
    return tmp_path / "home"


# The same of a province, and of drafts alone, is in integration: test_provinces, test_drafts.
@pytest.mark.long
def test_a_run_stops_at_the_draft_and_the_approval_publishes_exactly_it(
    home: Path, cli: Callable[..., CliResult]
) -> None:
    published = home / "published" / UNIT / Q
    assert cli(home, "approve", Q, "--unit", UNIT, *WORD).code == 2  # nothing to approve yet
    result = cli(home, "publish", Q, "--json")
    assert result.code == 0, result.stderr
    (unit,) = json.loads(result.stdout)["units"]
    assert (unit["state"], unit["release"]) == ("drafted", None)
    draft = Path(unit["draft"])
    assert draft == home / "review" / UNIT / Q / "du-thao"
    assert not published.exists()
    assert (home / "review").stat().st_mode & 0o077 == 0
    alerts = [json.loads(line) for line in (home / "logs" / "alerts.log").read_text().splitlines()]
    assert alerts[-1]["kind"] == "awaits_approval"

    wrong = cli(home, "approve", Q, "--unit", UNIT, *WORD, "--draft", "000000000000")
    assert wrong.code == 2
    assert "xem lại bản này" in wrong.stderr
    for options in (("--by", " ", "--document", "12"), ("--by", "Chủ tịch", "--document", "")):
        assert cli(home, "approve", Q, "--unit", UNIT, *options).code == 2
    personal = cli(home, "approve", Q, "--unit", UNIT, "--by", "Chủ tịch", "--document", "12, gọi 0912345678")
    assert (personal.code, "số điện thoại" in personal.stderr, "0912345678" in personal.stderr) == (2, True, False)
    assert not published.exists()

    code = read_draft(draft).code
    seen = json.loads((draft / "draft.json").read_bytes())["seen"]["outputs"]
    (approved,) = follow(home, "awaits_approval")
    assert approved.code == 0, approved.stderr
    assert "Phê duyệt: Chủ tịch UBND huyện, theo 12/QĐ-UBND ngày 05/04/2023" in approved.stdout
    manifest = json.loads((published / "r1" / "manifest.json").read_bytes())
    assert manifest["approval"] == {"by": WORD[1], "document": WORD[3], "draft": code}
    outputs = {output["path"]: output["sha256"] for output in manifest["outputs"]}
    # These two say who approved the release, and are what was seen but for that (``test_drafts``).
    other = {path for path, sha256 in seen.items() if outputs[path] != sha256}
    assert other == {"datapackage.json", "report/index.html"}
    journal = [json.loads(line) for line in (home / "logs" / "journal.jsonl").read_text().splitlines()]
    assert [(line["action"], line.get("by")) for line in journal] == [("begin", None), ("approve", WORD[1])]
    assert not draft.exists()
    alerts = [json.loads(line) for line in (home / "logs" / "alerts.log").read_text().splitlines()]
    assert alerts[-1]["kind"] == "published"
    assert cli(home, "verify").code == 0
    assert "phê duyệt" in cli(home, "status", Q).stdout

    again = cli(home, "publish", Q, "--json")  # what is approved waits for nothing
    assert json.loads(again.stdout)["units"][0]["state"] == "unchanged"
    assert not draft.exists()
