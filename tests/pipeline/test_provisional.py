"""A commune that sent nothing blocks its district until the district decides, and then every output says so.

The decisions are written from the words in which the run tells what a decision about each finding would say.
"""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from ingestion import load_contracts
from tests.conftest import run_cli
from tests.pipeline.conftest import QUARTER, indicators, release_of
from tests.support.release_texts import texts_of
from tests.support.worlds import Unit, districts, make_world, papers, write_papers

# The rule, and what outputs say of it, stand in tests of the gate, of notes and of pages; this is the whole story.
pytestmark = pytest.mark.long
COMMUNES = 7
TOLD = re.compile(
    r"Quyết định, nếu có, ghi: loại đối tượng “(?P<subject_kind>[^”]+)”, đối tượng “(?P<subject>[^”]+)”"
    r"(?:, áp dụng cho “(?P<applies_to>[^”]+)”)?, cách xử lý “(?P<actions>.+?)”"
    r"(?:, số liệu đã xem “(?P<figures_seen>[^”]+)”)?\. \["
)
SENTENCE = "chưa gửi nguồn “Hồ sơ một cửa”"


def _row_of(reason: str) -> str:
    """``III.26``, or nothing where a finding is about no row."""
    found = re.match(r"[IVX]+\.\d{2,}\b", reason)
    return found[0] if found else ""


def _decisions(unit: str, reasons: list[str]) -> str:
    """A register of decisions that answers each finding as the finding says, taking computed figures.

    What else is said of a row whose figure is still to be chosen rests on the declared one, and ends with the choice.
    """
    rows = {_row_of(reason) for reason in reasons if reason.endswith("[report.settled]")}
    reasons = [r for r in reasons if r.endswith("[report.settled]") or _row_of(r) not in rows]
    titles = {column.name: column.title_vi for column in load_contracts()["decisions"].columns}
    text = io.StringIO()
    writer = csv.DictWriter(text, list(titles.values()), delimiter=";")
    writer.writeheader()
    for number, reason in enumerate(reasons, 1):
        told = TOLD.search(reason)
        assert told is not None, reason
        cells = {
            "decision_id": f"QD-{number:02d}", "unit": unit, "quarter": QUARTER, "holds_until": QUARTER,
            "action": told["actions"].split("“")[-1], "reason": "Xã chưa khắc phục xong phần mềm một cửa",
            "approved_by": "Chủ tịch UBND huyện", "document_number": f"{number}/QĐ-UBND", "dated": "16/03/2023",
            **{name: told[name] or "" for name in ("subject_kind", "subject", "applies_to", "figures_seen")},
        }  # fmt: skip
        writer.writerow({titles[name]: value for name, value in cells.items()})
    return "\ufeff" + text.getvalue()


def _run(home: Path, unit: str) -> dict[str, Any]:
    result = run_cli(home, "run", QUARTER, "--json")
    assert result.code in (0, 1), result.stdout + result.stderr
    return next(answer for answer in json.loads(result.stdout)["units"] if answer["unit_code"] == unit)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A district of eight units of which one commune sent nothing for the quarter: the run before and after the
    decisions, the commune and the release.
    """
    home = tmp_path_factory.mktemp("provisional") / "home"
    district, communes = districts(COMMUNES, COMMUNES)[0]
    silent: Unit = communes[-1]
    found = papers(make_world(5, district, communes))
    write_papers(home / "landing", {key: sheets for key, sheets in found.items() if key[1][0] != silent.code})
    before = _run(home, district.code)
    register = home / "landing" / district.code / QUARTER / "decisions" / "quyet-dinh.csv"
    register.parent.mkdir(parents=True)
    register.write_text(_decisions(district.code, before["reasons"]), encoding="utf-8")
    after = _run(home, district.code)
    return {"home": home, "found": found, "district": district, "register": register, "silent": silent,
            "before": before, "after": after, "release": release_of(home, district.code),
            "index": (home / "published" / "index.json").read_bytes()}  # fmt: skip


@pytest.fixture(scope="module")
def completed(story: dict[str, Any]) -> dict[str, Any]:
    """The same district when its commune has sent its files: nothing is left to decide, which is confirmed."""
    home, register, code = story["home"], story["register"], story["district"].code
    write_papers(home / "landing", story["found"])
    register.write_text(_decisions(code, []) + "Không phát sinh\n", encoding="utf-8")
    still = [reason for reason in _run(home, code)["reasons"] if TOLD.search(reason)]
    register.with_name("xac-nhan.csv").write_text(_decisions(code, still), encoding="utf-8")
    return {"complete": _run(home, code), "final": release_of(home, code)}


def _release(story: dict[str, Any]) -> Path:
    assert (story["after"]["state"], story["after"]["reasons"]) == ("published", [])
    release = story["release"]
    assert isinstance(release, Path)
    return release


def test_without_a_decision_the_district_is_held_back_and_the_commune_named(story: dict[str, Any]) -> None:
    assert story["before"]["state"] == "held_back"
    named = [reason for reason in story["before"]["reasons"] if SENTENCE in reason]
    assert [story["silent"].code in reason for reason in named] == [True]


def test_figures_tell_how_many_units_are_in_them(story: dict[str, Any]) -> None:
    rows = indicators(_release(story))
    assert {(rows[n]["units_counted"], rows[n]["units_expected"]) for n in (74, 75, 76)} == {(COMMUNES - 1, COMMUNES)}
    assert (rows[181]["units_counted"], rows[181]["units_expected"]) == (COMMUNES, COMMUNES + 1)
    assert rows[71]["units_counted"] == rows[71]["units_expected"] == 1


def test_every_output_says_that_the_figures_are_provisional(story: dict[str, Any]) -> None:
    release = _release(story)
    manifest = json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    silent = story["silent"]
    why = f"Đơn vị {silent.code} ({silent.name}) {SENTENCE}."
    assert manifest["provisional_vi"] == [why]
    index = json.loads(story["index"])
    assert [entry["provisional"] for entry in index["releases"]] == [True]
    said = {name: " ".join(text.split()).lower() for name, text in texts_of(release).items()}
    for name, text in said.items():
        assert "số liệu tạm thời" in text, name
        # Why is the signer's, and of whoever looks for it; the letter and its annex say that it is so.
        internal = name in ("annex.xlsx", "report.docx", "report.pdf")
        assert (why.lower() in text) is not internal, name
        assert (f"{COMMUNES}/{COMMUNES + 1} đơn vị" in text) is not internal, name


def test_the_next_complete_release_is_final_and_its_letter_says_so(completed: dict[str, Any]) -> None:
    assert (completed["complete"]["state"], completed["complete"]["reasons"]) == ("published", [])
    release = completed["final"]
    assert release.name == "r2"
    assert "provisional_vi" not in json.loads((release / "manifest.json").read_text(encoding="utf-8"))
    for name, text in texts_of(release).items():
        told = " ".join(text.split()).lower()
        assert "số liệu tạm thời" not in told, name
        assert "số liệu chính thức" in told, name
