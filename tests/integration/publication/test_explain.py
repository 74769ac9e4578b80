"""Explaining figures of releases and candidates made by hand, and releases whose passports would not add up."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from orchestration.cli import passport
from publication import (
    NoPassports,
    Published,
    Release,
    ReleaseNotWhole,
    UnknownRow,
    explain_candidate,
    explain_release,
    neutral_name,
    outputs,
    read_candidate,
)
from tests.integration.publication.conftest import Home
from tests.unit.publication import builders

NAME = neutral_name(builders.delivery())


def _released(home: Home, **build: Any) -> Release:
    outcome = home.publish(home.candidate(**build))
    assert isinstance(outcome, Published)
    return outcome.release


def test_a_figure_is_found_by_code_or_number_however_it_is_written(home: Home) -> None:
    release = _released(home)
    wanted = explain_release(release, "I.04")
    assert wanted.passport["printed"] == "9"
    for row in ("i.04", "I.4", " I.004 ", "4"):
        assert explain_release(release, row).row.code == "I.04"


def test_a_row_that_the_form_does_not_have_is_named(home: Home) -> None:
    release = _released(home)
    for row in ("I.99", "VIII.01", "0", "212", "", "04", "I04", "I.04x"):
        with pytest.raises(UnknownRow, match="biểu không có chỉ tiêu"):
            explain_release(release, row)


def test_rows_are_listed_one_by_one_with_their_file(home: Home) -> None:
    (row,) = explain_release(_released(home), "I.04").rows()
    assert (row["file_name"], row["sheet"], row["row"], row["amount"]) == (NAME, "S", 4, Decimal(9))


def test_the_programs_view_names_the_files(home: Home) -> None:
    answer = explain_release(_released(home), "I.04").as_dict()
    (entry,) = answer["parts"][0]["files"]
    assert (answer["made_from"], entry["file_name"], entry["rows"]) == ("r1", NAME, "4")
    assert "file" not in entry


def test_a_file_of_an_earlier_quarter_is_told_as_such(home: Home) -> None:
    explanation = explain_release(_released(home, inputs=[builders.delivery(quarter="2022-Q4")]), "I.04")
    place = "Nhiệm vụ kế hoạch, Huyện Cù Lao Dung: plan_tasks-2022-Q4-945-aaaaaaaa (kỳ 2022-Q4), trang S"
    assert f"  {place}: 1 dòng, cộng vào 9" in passport.lines(explanation)


def test_a_terminal_shows_what_plain_lines_say(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    explanation = explain_release(_released(home), "I.04")
    passport.show(explanation)
    shown = capsys.readouterr().out
    told = (
        "I.04, dòng 4",
        "Kết quả: 9",
        "Cách tính: Đếm số nhiệm vụ đã hoàn thành.",
        "Nhiệm vụ kế hoạch",
        f"{NAME}, trang S",
    )
    plain = "\n".join(passport.lines(explanation))
    assert [text for text in told if text not in shown] == [text for text in told if text not in plain] == []


def test_many_ranges_are_cut_and_counted(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    build_tables = builders.build_tables

    def every_other_row(**build: Any) -> dict[str, Any]:
        tables = build_tables(**build)
        rows = tables["figure_rows"].to_pylist()
        next(row for row in rows if row["figure"] == "m_4").update(
            row_numbers=",".join(str(number) for number in range(1, 2001, 2)), row_count=1000
        )
        return tables | {"figure_rows": pa.Table.from_pylist(rows, schema=tables["figure_rows"].schema)}

    monkeypatch.setattr(builders, "build_tables", every_other_row)
    explanation = explain_release(_released(home), "I.04")
    (line,) = [line for line in passport.lines(explanation) if line.startswith("    dòng 1,")]
    assert line.endswith("77, 79, … (còn 960 đoạn; xuất đủ bằng --csv)")
    assert len(list(explanation.rows())) == 1000


def test_a_release_older_than_passports_says_so(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    older = tuple(output for output in outputs.OUTPUTS if output.name in ("marts", "annex"))
    monkeypatch.setattr(outputs, "OUTPUTS", older)
    with pytest.raises(NoPassports, match="r1 được lập khi chưa có"):
        explain_release(_released(home), "I.04")


def test_a_damaged_release_is_not_explained(home: Home) -> None:
    release = _released(home)
    path = release.path / "marts" / "figure_rows.parquet"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(NoPassports, match="đã hư hại"):
        explain_release(release, "I.04")


def test_what_a_gate_holds_back_can_be_explained(home: Home) -> None:
    change = {"value": None, "computed_value": Decimal(9), "declared_value": Decimal(10), "status": "unsettled"}
    explanation = explain_candidate(builders.write_candidate(home.warehouse, changes={"I.04": change}), "I.04")
    assert explanation.passport["printed"] == ""
    assert (
        "Số tính từ dữ liệu chi tiết là 9, số cơ quan khai báo là 10; chưa có quyết định chọn số nào."
        in explanation.passport["notes_vi"]
    )


def test_figures_that_their_rows_do_not_come_to_are_not_published(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    build_tables = builders.build_tables

    def one_row_short(**build: Any) -> dict[str, Any]:
        tables = build_tables(**build)
        return tables | {"figure_rows": tables["figure_rows"].slice(1)}

    monkeypatch.setattr(builders, "build_tables", one_row_short)
    candidate = home.candidate()
    with pytest.raises(ReleaseNotWhole, match="add up to 0"):
        home.publish(candidate)
    assert not (home.quarter_dir / "current.json").exists()


def test_people_of_this_machine_read_the_names_that_were_delivered(home: Home) -> None:
    candidate = home.candidate(changes={"I.04": {"value": Decimal(9)}})
    behind = read_candidate(candidate).table("figure_rows").to_pylist()
    delivery_id = next(row["delivery_id"] for row in behind)
    explanation = explain_candidate(candidate, "I.04")
    numbered = replace(explanation, passport={**explanation.passport, "parts": [
        part | {"files": [entry | {"sheet": "trang 2"} for entry in part["files"]]}
        for part in explanation.passport["parts"]
    ]})  # fmt: skip
    told = numbered.with_real_names({delivery_id: "Bà Lan 0912.xlsx"}, lambda _: ["Ẩn", "Nhiệm vụ"])
    (entry,) = told.as_dict()["parts"][0]["files"]
    assert (entry["file_name"], entry["sheet"]) == ("Bà Lan 0912.xlsx", "Nhiệm vụ")
    assert next(told.rows())["file_name"] == "Bà Lan 0912.xlsx"
