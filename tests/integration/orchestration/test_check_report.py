"""``cchc check-report`` on a published home: what is asked, what is answered, how it ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import docx
import pytest

from tests.conftest import CliResult
from tests.support.narrative import DATA, REAL, labels

Cli = Callable[..., CliResult]
ASKED = ("--unit", "945", "--quarter", REAL)


def _check(cli: Cli, home: Path, path: Path, *more: str) -> CliResult:
    return cli(home, "check-report", str(path), *ASKED, *more)


def _text(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_the_real_report_against_the_published_sample(cli: Cli, published_home: Path) -> None:
    result = _check(cli, published_home, DATA / f"report_{REAL}.txt", "--json")
    assert result.code == 1
    found = json.loads(result.stdout)
    assert found["release"] == "r1"
    assert [(one["text"], one["verdict"]) for one in found["figures"]] == [
        (label.figure, label.verdict) for label in labels(REAL)
    ]
    assert found["counts"] == {"agrees": 32, "contradicts": 5, "not_found": 5}
    assert {row["verdict"] for row in found["table_rows"]} == {"agrees", "not_found"}


def test_an_official_reads_sentence_figure_and_row(cli: Cli, published_home: Path) -> None:
    told = _check(cli, published_home, DATA / f"report_{REAL}.txt").stdout
    assert "TRÁI: báo cáo viết “05 hồ sơ trễ hạn”; số liệu công bố: 611 − 611 = 0" in told
    assert "dòng 129 Số người được đào tạo, bồi dưỡng theo Kế hoạch" in told
    assert "Lời văn: 42 số liệu: 32 khớp, 5 trái, 5 không đối chiếu được" in told


def test_the_same_text_in_a_word_document_gives_the_same_answer(cli: Cli, published_home: Path, tmp_path: Path) -> None:
    text = (DATA / f"report_{REAL}.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if "\t" not in line]
    document = docx.Document()
    for line in lines:
        document.add_paragraph(line)
    document.save(str(tmp_path / "report.docx"))
    from_word = json.loads(_check(cli, published_home, tmp_path / "report.docx", "--json").stdout)
    from_text = json.loads(_check(cli, published_home, _text(tmp_path / "report.txt", *lines), "--json").stdout)
    assert from_word["figures"] == from_text["figures"]


def test_the_letter_of_a_release_agrees_with_the_release(cli: Cli, published_home: Path) -> None:
    letter = published_home / "published" / "945" / REAL / "r1" / "report" / "report.docx"
    result = _check(cli, published_home, letter, "--json")
    found = json.loads(result.stdout)
    wrong = [(one["sentence"], one["text"]) for one in found["figures"] if one["verdict"] == "contradicts"]
    assert (result.code, wrong) == (0, [])
    assert found["counts"]["agrees"] > 55
    assert len(found["table_rows"]) == 211


def test_a_report_that_agrees_ends_well(cli: Cli, published_home: Path, tmp_path: Path) -> None:
    path = _text(tmp_path / "report.txt", "Huyện tiếp nhận 1.145 hồ sơ, đã giải quyết 611 hồ sơ.")
    assert _check(cli, published_home, path).code == 0
    assert _check(cli, published_home, path, "--release", "1").code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("none.txt", *ASKED), "không có tệp"),
        (("report.txt", "--unit", "941", "--quarter", REAL), "chưa có bản công bố"),
        (("report.txt", "--unit", "945", "--quarter", "2023-Q9"), "không có kỳ báo cáo"),
        (("report.txt", *ASKED, "--release", "7"), "chưa có bản công bố r7"),
    ],
)
def test_what_cannot_be_compared_is_wrong_use(
    cli: Cli, published_home: Path, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    _text(tmp_path / "report.txt", "Huyện tiếp nhận 1.145 hồ sơ.")
    result = cli(published_home, "check-report", str(tmp_path / arguments[0]), *arguments[1:])
    assert result.code == 2
    assert says in result.stderr
