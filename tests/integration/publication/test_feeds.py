"""The feed of releases and corrections, and the catalogue of data, as their readers find them."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import pytest

from publication import Instruction, Published, lock, roll_back
from publication.collection import DATABASE_NAME, history_rows
from publication.content.release_content import Imprint, ReleaseContent
from publication.feeds import CATALOGUE_NAME, FEED_NAME, render_catalogue_of_data, render_feed
from publication.index import rebuild_index
from publication.store.csvfile import from_csv
from tests.integration.publication.conftest import LIGHT, Home
from tests.unit.publication.builders import QUARTER, UNIT

_ATOM = "{http://www.w3.org/2005/Atom}"
#: What DCAT-AP 3 demands of each kind of thing.
_MANDATORY = {
    "dcat:Catalog": {"dct:title", "dct:description", "dct:publisher", "dcat:dataset"},
    "dcat:Dataset": {"dct:title", "dct:description"},
    "dcat:Distribution": {"dcat:accessURL"},
    "foaf:Organization": {"foaf:name"},
    "dct:PeriodOfTime": {"dcat:startDate", "dcat:endDate"},
}


def _day(day: int) -> dt.datetime:
    return dt.datetime(2023, 3, day, 8, tzinfo=dt.UTC)


def _publish(home: Home, value: int, day: int, expected: int | None) -> None:
    changes = {"I.04": {"value": Decimal(value)}} if expected else {}
    candidate = home.candidate(changes=changes)
    assert isinstance(home.publish(candidate, expected=expected, published_at=_day(day)), Published)


@pytest.fixture(scope="module")
def corrected_once(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("corrected") / "home")
    _publish(home, 0, 16, None)
    _publish(home, 10, 17, 1)
    roll_back(home.published, UNIT, QUARTER, 1, Instruction("tính nhầm & sửa <sai>", at=_day(18)))
    return home


@pytest.fixture
def corrected(corrected_once: Home, tmp_path: Path) -> Home:
    """A release, its correction, and the correction taken back: a copy of the test's own."""
    return Home(shutil.copytree(corrected_once.root, tmp_path / "corrected", symlinks=True))


def _feed(home: Home) -> ElementTree.Element:
    return ElementTree.fromstring((home.published / FEED_NAME).read_bytes())


def _ids(home: Home) -> list[str]:
    return [str(entry.findtext(f"{_ATOM}id")) for entry in _feed(home).iter(f"{_ATOM}entry")]


def _things(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from _things(part)
    elif isinstance(value, list):
        for part in value:
            yield from _things(part)


@pytest.mark.parametrize("sign", ["\x00", "\x0b", "\x1f", "\x7f", "\ud800", "\ufffe"])
def test_a_control_sign_in_any_text_leaves_the_feed_readable(sign: str) -> None:
    step = {
        "action": "publish", "release": 2, "at": "2023-03-16T08:00:00+07:00", "previous": 1, "changed": None,
        "reason": f"nhập {sign}nhầm & <i>", "provisional": False,
    }  # fmt: skip
    entry = {"unit_code": "945", "unit_name_vi": f"Huyện {sign}", "quarter": QUARTER, "release": 2, "history": [step]}
    (told,) = ElementTree.fromstring(render_feed([entry])).iter(f"{_ATOM}entry")
    assert "Lý do: nhập �nhầm & <i>" in str(told.findtext(f"{_ATOM}summary"))
    assert next(part.get("label") for part in told.iter(f"{_ATOM}category")) == "Huyện �"


def test_the_feed_tells_each_step_newest_first(corrected: Home) -> None:
    told = list(_feed(corrected).iter(f"{_ATOM}entry"))
    titles = [str(entry.findtext(f"{_ATOM}title")) for entry in told]
    assert [title.rsplit(": ", 1)[1] for title in titles] == ["quay lại bản r1", "bản r2 thay bản r1", "công bố bản r1"]
    assert all("Cù Lao Dung, quý I năm 2023" in title for title in titles)
    summaries = [str(entry.findtext(f"{_ATOM}summary")) for entry in told]
    assert "Lý do: tính nhầm & sửa <sai>" in summaries[0]
    changes = from_csv((corrected.quarter_dir / "r2" / "quality" / "changes.csv").read_bytes())
    assert summaries[1] == f"Thay bản r1. {len(changes)} thay đổi, xem quality/changes.csv của bản này."
    assert changes
    assert summaries[2] == "Công bố lần đầu."
    moments = [dt.datetime.fromisoformat(str(entry.findtext(f"{_ATOM}updated"))) for entry in told]
    assert moments == [_day(18), _day(17), _day(16)]
    assert _feed(corrected).findtext(f"{_ATOM}updated") == told[0].findtext(f"{_ATOM}updated")


def test_the_feed_holds_what_its_format_demands_and_leads_to_files_that_are_there(corrected: Home) -> None:
    feed = _feed(corrected)
    for part in (feed, *feed.iter(f"{_ATOM}entry")):
        assert all(part.findtext(f"{_ATOM}{name}") for name in ("id", "title", "updated"))
    for entry in feed.iter(f"{_ATOM}entry"):
        assert entry.findtext(f"{_ATOM}author/{_ATOM}name")
    assert len(set(_ids(corrected))) == 3
    assert {link.get("href") for link in feed.iter(f"{_ATOM}link")} >= {FEED_NAME, "index.html"}
    for link in feed.iter(f"{_ATOM}link"):
        assert (corrected.published / str(link.get("href"))).is_file(), link.get("href")


def test_what_is_not_known_of_a_release_is_not_told(corrected: Home) -> None:
    """Its manifest cannot be read: no moment, no release before it, and not the first."""
    manifest = corrected.quarter_dir / "r2" / "manifest.json"
    manifest.chmod(0o644)
    manifest.write_bytes(b"{}")
    rebuild_index(corrected.published, from_releases=True)
    entries = json.loads((corrected.published / "index.json").read_bytes())["releases"]
    assert [(step["release"], step["at"] is None) for step in entries[0]["history"]] == [
        (2, True),
        (1, False),
        (1, False),
    ]
    assert len(_ids(corrected)) == 2
    entries[0]["history"] = entries[0]["history"][:1]
    text = render_catalogue_of_data(entries).decode()
    assert "Công bố lần đầu" not in text
    assert "None" not in text


@pytest.mark.parametrize("provisional_vi", [(), ("Xã X chưa gửi số liệu.",)])
def test_where_the_manifest_cannot_be_read_nobody_is_told_how_final_the_figures_are(
    light_home: Home, monkeypatch: pytest.MonkeyPatch, provisional_vi: tuple[str, ...]
) -> None:
    """Neither that they are final, nor that they are provisional; also where the release comes back."""
    monkeypatch.setattr(ReleaseContent, "provisional_vi", provisional_vi)
    _publish(light_home, 0, 16, None)
    _publish(light_home, 10, 17, 1)
    roll_back(light_home.published, UNIT, QUARTER, 1, Instruction("tính nhầm", at=_day(18)))
    manifest = light_home.quarter_dir / "r1" / "manifest.json"
    manifest.chmod(0o644)
    manifest.write_bytes(b"{}")
    rebuild_index(light_home.published, from_releases=True)
    (entry,) = json.loads((light_home.published / "index.json").read_bytes())["releases"]
    assert entry["provisional"] is None
    known = bool(provisional_vi)
    assert [(step["release"], step["provisional"]) for step in entry["history"]] == [(1, None), (2, known), (1, None)]
    with duckdb.connect(str(light_home.published / DATABASE_NAME), read_only=True) as tables:
        assert tables.execute("select provisional from releases").fetchall() == [(None,)]
        history = "select provisional from release_history order by step"
        assert tables.execute(history).fetchall() == [(None,), (known,), (None,)]
    unknown = "Chưa rõ số liệu tạm thời hay chính thức."
    newest = next(_feed(light_home).iter(f"{_ATOM}entry"))
    assert str(newest.findtext(f"{_ATOM}summary")).endswith(unknown)
    (dataset,) = json.loads((light_home.published / CATALOGUE_NAME).read_bytes())["dcat:dataset"]
    assert {said["@language"]: said["@value"].split(". ")[-1] for said in dataset["dct:description"]} == {
        "vi": unknown,
        "en": "It is not known whether the figures are provisional.",
    }


def test_a_release_that_comes_back_is_as_provisional_as_it_was(
    light_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(ReleaseContent, "provisional_vi", ("Xã X chưa gửi số liệu.",))
        _publish(light_home, 0, 16, None)
    _publish(light_home, 10, 17, 1)
    roll_back(light_home.published, UNIT, QUARTER, 1, Instruction("tính nhầm", at=_day(18)))
    (entry,) = json.loads((light_home.published / "index.json").read_bytes())["releases"]
    assert entry["provisional"]
    assert [step["provisional"] for step in entry["history"]] == [True, False, True]
    assert [row["provisional"] for row in history_rows(entry)] == [True, False, True]
    newest = next(_feed(light_home).iter(f"{_ATOM}entry"))
    assert str(newest.findtext(f"{_ATOM}summary")).endswith("Lý do: tính nhầm Số liệu tạm thời.")
    (dataset,) = json.loads((light_home.published / CATALOGUE_NAME).read_bytes())["dcat:dataset"]
    assert "Số liệu tạm thời." in dataset["adms:versionNotes"][0]["@value"]


def test_the_catalogue_tells_the_days_that_the_release_tells(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a unit that begins within the period its own."""
    monkeypatch.setattr("publication.build.begins_on", lambda *_: dt.date(2023, 1, 1))
    _publish(home, 0, 16, None)
    (dataset,) = json.loads((home.published / CATALOGUE_NAME).read_bytes())["dcat:dataset"]
    days = [dataset["dct:temporal"][f"dcat:{end}Date"]["@value"] for end in ("start", "end")]
    assert days == ["2023-01-01", "2023-03-14"]
    page = (home.quarter_dir / "r1" / "report" / "index.html").read_text(encoding="utf-8")
    assert "Kỳ số liệu 01/01/2023 – 14/03/2023" in page


def test_no_dataset_is_said_to_change_each_quarter(corrected: Home) -> None:
    """A dataset is one period's; that of a year is no other each quarter either."""
    assert "frequency/QUARTERLY" not in (corrected.published / CATALOGUE_NAME).read_text(encoding="utf-8")


def test_moments_of_other_zones_stand_in_their_order(home: Home) -> None:
    zone = dt.timezone(dt.timedelta(hours=7))
    assert isinstance(home.publish(home.candidate(), published_at=_day(16)), Published)
    later = home.candidate(changes={"I.04": {"value": Decimal(10)}})
    moment = _day(16).astimezone(zone) + dt.timedelta(minutes=1)
    assert isinstance(home.publish(later, expected=1, published_at=moment), Published)
    roll_back(home.published, UNIT, QUARTER, 1, Instruction("x", at=_day(16) + dt.timedelta(minutes=2)))
    titles = [str(entry.findtext(f"{_ATOM}title")) for entry in _feed(home).iter(f"{_ATOM}entry")]
    assert [title.rsplit("bản r", 1)[1] for title in titles] == ["1", "1", "1"]
    assert "quay lại" in titles[0]


def test_a_step_keeps_its_name_whatever_follows(home: Home) -> None:
    _publish(home, 0, 16, None)
    name, before = _feed(home).findtext(f"{_ATOM}id"), _ids(home)
    _publish(home, 10, 17, 1)
    assert _ids(home)[1:] == before
    assert _feed(home).findtext(f"{_ATOM}id") == name
    lock(home.published, UNIT, QUARTER, Instruction("ký"))
    assert len(_ids(home)) == 2
    rebuild_index(home.published, from_releases=True)
    assert _ids(home)[1:] == before


def test_a_release_without_a_moment_is_in_the_catalogue_and_not_in_the_feed(home: Home) -> None:
    assert isinstance(home.publish(home.candidate()), Published)
    assert _ids(home) == []
    assert len(json.loads((home.published / CATALOGUE_NAME).read_bytes())["dcat:dataset"]) == 1


def test_the_catalogue_holds_what_its_profile_demands_and_leads_to_files_that_are_there(corrected: Home) -> None:
    catalogue = json.loads((corrected.published / CATALOGUE_NAME).read_bytes())
    kinds = set()
    for thing in _things({key: value for key, value in catalogue.items() if key != "@context"}):
        for name in thing:
            assert name.startswith("@") or name.split(":")[0] in catalogue["@context"], name
        if "@type" in thing:
            kinds.add(thing["@type"])
            assert thing.keys() >= _MANDATORY.get(thing["@type"], set()), thing
        address = thing.get("@id", "urn:")
        if not address.startswith(("urn:", "http")):
            assert (corrected.published / address).is_file(), address
    assert kinds >= set(_MANDATORY)
    (dataset,) = catalogue["dcat:dataset"]
    assert dataset["dcat:version"] == "r1"
    assert dataset["dct:issued"]["@value"] == _day(16).isoformat()
    assert dataset["dct:modified"]["@value"] == _day(18).isoformat()
    assert {d["dct:title"] for d in dataset["dcat:distribution"]} >= {"annex.csv", "marts.duckdb", "report.pdf"}


_LICENCE_URL = "https://example.vn/phep"


@pytest.mark.parametrize(
    ("imprint", "contact", "licence"),
    [
        (Imprint(), None, None),
        (
            Imprint("Văn phòng UBND huyện, 0299 3 860 123", "Dùng lại tự do", _LICENCE_URL),
            {"@type": "vcard:Kind", "vcard:fn": "Văn phòng UBND huyện, 0299 3 860 123"},
            {
                "@type": "dct:LicenseDocument",
                "@id": _LICENCE_URL,
                "dct:title": [{"@language": "vi", "@value": "Dùng lại tự do"}],
            },
        ),
        (Imprint(licence_url=_LICENCE_URL), None, {"@type": "dct:LicenseDocument", "@id": _LICENCE_URL}),
        (
            Imprint(licence_vi="Dùng lại tự do"),
            None,
            {"@type": "dct:LicenseDocument", "dct:title": [{"@language": "vi", "@value": "Dùng lại tự do"}]},
        ),
    ],
)
def test_the_catalogue_names_licence_and_contact_as_set_when_it_was_published_and_invents_none(
    tmp_path: Path, imprint: Imprint, contact: Any, licence: Any
) -> None:
    home = Home(tmp_path, (*LIGHT, "datapackage"))
    assert isinstance(home.publish(home.candidate(), imprint=imprint, published_at=_day(16)), Published)
    (dataset,) = json.loads((home.published / CATALOGUE_NAME).read_bytes())["dcat:dataset"]
    assert dataset.get("dcat:contactPoint") == contact
    assert dataset["dcat:distribution"]
    assert [part.get("dct:license") for part in dataset["dcat:distribution"]] == [licence] * len(
        dataset["dcat:distribution"]
    )
    if contact is None:
        assert "contactPoint" not in (home.published / CATALOGUE_NAME).read_text(encoding="utf-8")
    package = home.quarter_dir / "r1" / "datapackage.json"
    package.chmod(0o644)
    package.write_bytes(package.read_bytes().replace(b"example.vn", b"example.xx"))
    rebuild_index(home.published, from_releases=True)
    assert "example.xx" not in (home.published / CATALOGUE_NAME).read_text(encoding="utf-8")


def test_nothing_published_makes_whole_files_too() -> None:
    assert ElementTree.fromstring(render_feed([])).findtext(f"{_ATOM}id")
    assert json.loads(render_catalogue_of_data([]))["dcat:dataset"] == []
