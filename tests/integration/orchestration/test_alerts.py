"""Alerts: one for a cause until it changes, to who asks for it, over real connections; and what a run tells."""

from __future__ import annotations

import json
import logging
import multiprocessing
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr, ValidationError

from common.periods import period_named
from expectations import Finding, Result, Verdict
from orchestration.addresses import AlertAddress, AlertLinks
from orchestration.alerts import Alert, cause_of, send_owed, settled, tell
from orchestration.assets.columns import Catalogue
from orchestration.assets.published import published_assets
from orchestration.jobs import quarter_job
from orchestration.outcomes import Outcome
from orchestration.partitions import add_quarters, quarters
from orchestration.pipeline import Pipeline
from orchestration.resources import Scope
from orchestration.sensors import failure_alert
from orchestration.settings import Settings, load_settings
from orchestration.telling import tell_copies, tell_run
from publication import PostgresError, Revision
from tests.support.receivers import PASSWORD, Hook, Mailbox, mail_server, webhook

UNIT, QUARTER = "945", "2023-Q1"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with mail_server() as box:
        yield box


@pytest.fixture
def hook() -> Iterator[Hook]:
    with webhook() as receiver:
        yield receiver


def _settings(home: Path, *to: AlertAddress, **more: Any) -> Settings:
    return Settings(home=home, alert_to=to, **more)


def _to(url: str, **asked: Any) -> AlertAddress:
    return AlertAddress(url=SecretStr(url), **asked)


def _lines(settings: Settings) -> list[dict[str, Any]]:
    path = settings.alerts_path()
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def _told(settings: Settings) -> list[tuple[str, str | None]]:
    return [(line["kind"], line["unit"]) for line in _lines(settings)]


HELD = Alert("held_back", "945 Huyện Cù Lao Dung: chưa công bố", ("Dòng 12 thiếu ngày trả kết quả",), QUARTER, UNIT)


def test_mail_and_webhook_get_the_alert_in_vietnamese(tmp_path: Path, mailbox: Mailbox, hook: Hook) -> None:
    tell(_settings(tmp_path, _to(mailbox.url), _to(hook.url)), HELD)
    assert [str(message["Subject"]) for message in mailbox.messages] == [f"[CCHC] {HELD.title_vi}"]
    (text,) = mailbox.texts()
    assert HELD.lines_vi[0] in text
    (posted,) = hook.taken
    assert posted["title"] == f"[CCHC] {HELD.title_vi}"
    assert posted["message"].splitlines()[0] == f"- {HELD.lines_vi[0]}"
    assert re.search(r"Lúc \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+07:00$", posted["message"])


def test_a_cause_is_told_once_until_it_changes_and_again_when_it_returns(tmp_path: Path, hook: Hook) -> None:
    settings = _settings(tmp_path, _to(hook.url))
    again = Alert(HELD.kind, HELD.title_vi, HELD.lines_vi, QUARTER, UNIT, {"Lượt chạy": "khác"})
    changed = Alert(HELD.kind, HELD.title_vi, ("Dòng 13 thiếu ngày trả kết quả",), QUARTER, UNIT)
    assert tell(settings, HELD) == [HELD]
    assert tell(settings, HELD) == []
    assert tell(settings, again) == []
    assert tell(settings, changed) == [changed]
    settled(settings, cause_of("held_back", "2022-Q4", UNIT))
    assert tell(settings, changed) == []
    settled(settings, changed.cause)
    assert tell(settings, changed) == [changed]
    assert len(hook.taken) == len(_lines(settings)) == 3


def test_alerts_of_one_cause_cannot_be_told_together(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    changed = replace(HELD, title_vi="khác")
    with pytest.raises(AssertionError, match=re.escape(HELD.cause)):
        tell(settings, HELD, changed)
    assert _lines(settings) == []
    apart = [HELD, *(replace(changed, **{name: "khác"}) for name in ("kind", "quarter", "unit", "subject"))]
    for _ in range(3):
        tell(settings, *apart)
    assert len(_lines(settings)) == len(apart)


def test_of_a_long_alert_the_first_lines_are_told_and_how_many_more(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    tell(settings, Alert("held_back", "dài", tuple(map(str, range(25))), QUARTER, UNIT))
    (line,) = _lines(settings)
    assert line["reasons"][19:] == ["19", f"Còn 5 dòng khác; xem đủ bằng: cchc status {QUARTER}"]


def test_addresses_get_the_kinds_and_units_they_ask_for(tmp_path: Path) -> None:
    reminder = Alert("deliveries_missing", "nhắc", (), QUARTER, UNIT)
    everything = [
        HELD,
        Alert("held_back", "khác", (), QUARTER, "946"),
        reminder,
        Alert("deliveries_missing_summary", "tổng hợp", (), QUARTER),
        Alert("disk_nearly_full", "ổ đĩa"),
    ]
    with webhook() as operator, webhook() as unit, webhook() as disk:
        addresses = _to(operator.url), _to(unit.url, units=[UNIT]), _to(disk.url, kinds=["disk_nearly_full"])
        tell(_settings(tmp_path, *addresses), *everything)
    assert [title.removeprefix("[CCHC] ") for title in operator.titles()] == [
        HELD.title_vi, "khác", "tổng hợp", "ổ đĩa",
    ]  # fmt: skip
    assert [title.removeprefix("[CCHC] ") for title in unit.titles()] == [HELD.title_vi, "nhắc"]
    assert disk.titles() == ["[CCHC] ổ đĩa"]


def test_what_a_server_does_not_take_stays_owed_to_that_address(tmp_path: Path, mailbox: Mailbox, hook: Hook) -> None:
    settings = _settings(tmp_path, _to(hook.url), _to(mailbox.url))
    hook.down = True
    other = Alert("overdue", "quá hạn", (), QUARTER, UNIT)
    assert tell(settings, HELD, other) == [HELD, other]
    assert (len(mailbox.messages), hook.asked) == (2, 1), "a server that is down is asked once a look"
    assert send_owed(settings) == 2
    hook.down = False
    assert tell(settings, HELD) == [], "told, and what was owed goes out"
    assert sorted(hook.titles()) == sorted(f"[CCHC] {alert.title_vi}" for alert in (HELD, other))
    assert send_owed(settings) == 0
    assert len(mailbox.messages) == 2


def test_no_server_at_all_breaks_nothing_and_an_address_that_left_is_owed_nothing(tmp_path: Path) -> None:
    with webhook() as gone:
        url = gone.url
    assert tell(_settings(tmp_path, _to(url)), HELD) == [HELD]
    assert send_owed(_settings(tmp_path, _to(url))) == 1
    assert send_owed(_settings(tmp_path)) == 0


def test_a_message_that_is_never_taken_holds_up_no_other(tmp_path: Path, hook: Hook) -> None:
    settings = _settings(tmp_path, _to(hook.url))
    hook.down = True
    tell(settings, HELD)
    tell(settings, Alert("overdue", "quá hạn", (), QUARTER, UNIT))
    owed = json.loads(settings.paths.told.read_bytes())["causes"]
    assert sorted(tries for cause in owed.values() for tries in cause["owed"].values()) == [1, 1]


def test_alerts_go_out_where_nothing_can_be_written(tmp_path: Path, hook: Hook) -> None:
    (tmp_path / "logs").write_text("in the way")
    tell(_settings(tmp_path, _to(hook.url)), HELD)
    assert len(hook.taken) == 1


def _tell_in_a_process(home: Path, url: str) -> None:
    tell(_settings(home, _to(url)), HELD)


def test_processes_at_once_tell_once(tmp_path: Path, hook: Hook) -> None:
    spawn = multiprocessing.get_context("spawn")
    at_once = [spawn.Process(target=_tell_in_a_process, args=(tmp_path, hook.url)) for _ in range(2)]
    for process in at_once:
        process.start()
    for process in at_once:
        process.join(120)
        assert process.exitcode == 0
    assert len(hook.taken) == len(_lines(_settings(tmp_path))) == 1


def test_no_secret_is_written_anywhere(
    tmp_path: Path, mailbox: Mailbox, hook: Hook, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hook.down = True
    settings = _settings(tmp_path, _to(mailbox.url), _to(hook.url), _to(mailbox.url.replace(PASSWORD, "mat-khau-sai")))
    tell(settings, HELD)
    assert len(mailbox.messages) == 1
    assert "alert_to, address 3: not taken" in caplog.text
    written = caplog.text + repr(settings) + "".join(p.read_text() for p in tmp_path.rglob("*") if p.is_file())
    for secret in (PASSWORD, "mat-khau-sai", hook.secret):
        assert secret not in written


def test_addresses_come_from_the_settings_file_and_wrong_ones_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Callable[..., Any]
) -> None:
    file = tmp_path / "cchc.toml"
    monkeypatch.setenv("CCHC_SETTINGS", str(file))
    file.write_text('[alert_links]\npage = "https://a.vn/"\n[[alert_to]]\nurl = "json://a.vn"\nkinds = ["overdue"]\n')
    settings = load_settings()
    assert (settings.alert_to[0].kinds, settings.alert_links) == (("overdue",), AlertLinks(page="https://a.vn"))
    for wrong, words in (
        ('url = "khong://a:bi-mat@b"', "CCHC_ALERT_TO_0_URL"),
        ('url = "json://b"\nkinds = ["held"]', "held_back"),
    ):
        file.write_text(f"[[alert_to]]\n{wrong}\n")
        with pytest.raises(ValidationError) as refused:
            load_settings()
        answer = cli(tmp_path, "status")
        assert answer.code == 2
        assert words in answer.stderr
        assert "bi-mat" not in answer.stderr + str(refused.value)
    monkeypatch.setenv("CCHC_ALERT_TO", "[{")
    assert cli(tmp_path, "status").code == 2


# --- what runs tell


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home in which one unit has sent one file."""
    links = AlertLinks(dagster="http://127.0.0.1:3000", page="https://cchc.example.org")
    made = _settings(tmp_path / "home", alert_links=links)
    made.paths.create()
    file = made.paths.landing / UNIT / QUARTER / "survey_responses" / "phieu.csv"
    file.parent.mkdir(parents=True)
    file.write_text("Số phiếu\n", encoding="utf-8")
    return made


def _verdict(message: str) -> Verdict:
    result = Result(
        expectation_id="deliveries.survey_responses.sent", source="survey_responses", sentence_vi="đã gửi",
        severity="critical", status="fail", observed=None, failed_rows=1, covered_rows=0, decision_id=None,
        settleable=False, empty_allowed=False, blocking=True, findings=(Finding(subject="945", message_vi=message),),
    )  # fmt: skip
    return Verdict(stage="raw", unit_code=UNIT, quarter=QUARTER, subject_hash="0", suite_version="1", results=(result,))


def _run(settings: Settings, outcome: Outcome | None = None, verdict: Verdict | None = None) -> None:
    pipeline = Pipeline(settings)
    if outcome:
        pipeline.record.outcomes[outcome.unit_code] = outcome
    if verdict:
        pipeline.record.add_verdicts({UNIT: verdict})
    assert tell_run(pipeline, QUARTER, [], "lượt-1")


def test_a_unit_held_back_by_the_first_gate_alone_is_told_with_advice_and_rows_to_mend(settings: Settings) -> None:
    outbox = settings.paths.outbox / UNIT / QUARTER / "survey_responses" / "phieu.csv.rejected.xlsx"
    outbox.parent.mkdir(parents=True)
    outbox.touch()
    for _ in range(2):
        _run(settings, verdict=_verdict("đơn vị 945 chưa gửi nguồn “Phiếu khảo sát”"))
    (line,) = _lines(settings)
    assert (line["kind"], line["unit"], line["quarter"]) == ("held_back", UNIT, QUARTER)
    assert line["message"] == "945 Huyện Cù Lao Dung, Quý I/2023: chưa công bố, bị giữ lại"
    assert line["reasons"][0].startswith("Sửa tệp rồi gửi lại")
    assert line["reasons"][1].startswith("Đơn vị 945 chưa gửi nguồn “Phiếu khảo sát”. Gửi tệp vào thư mục tiếp nhận")
    assert line["links"] == {
        "Lượt chạy": "http://127.0.0.1:3000/runs/lượt-1",
        "Dòng trả lại để sửa, 945": str(settings.paths.outbox / UNIT / QUARTER),
    }
    _run(settings, verdict=_verdict("đơn vị 945 gửi nguồn khác"))
    assert len(_lines(settings)) == 2


def test_a_unit_without_a_candidate_is_told(settings: Settings) -> None:
    _run(settings, Outcome(UNIT, None, reasons=("không lập được số liệu",)))
    assert _lines(settings)[0]["reasons"][1:] == ["không lập được số liệu"]


def test_a_release_is_told_with_its_changes_and_settles_what_held_it(settings: Settings) -> None:
    held = _verdict("đơn vị 945 chưa gửi")
    _run(settings, verdict=held)
    released = Outcome(UNIT, f"{UNIT}/{QUARTER}/r2", changed=True, revision=Revision(1, 2, (), ()))
    _run(settings, released)
    _run(settings, Outcome(UNIT, f"{UNIT}/{QUARTER}/r2"))
    _run(settings, verdict=held)
    assert _told(settings) == [("held_back", UNIT), ("published", UNIT), ("held_back", UNIT)]
    line = _lines(settings)[1]
    assert line["message"].endswith("đã công bố bản r2")
    assert line["reasons"][0].startswith("Bản công bố r2 thay bản r1")
    assert line["links"]["Trang số liệu"] == f"https://cchc.example.org/{UNIT}/{QUARTER}/r2/report/index.html"


def test_a_release_that_did_not_change_is_not_told(settings: Settings) -> None:
    _run(settings, Outcome(UNIT, f"{UNIT}/{QUARTER}/r1"))
    assert _lines(settings) == []


def test_a_locked_quarter_is_told_once(settings: Settings) -> None:
    locked = Outcome(UNIT, None, reasons=("Kỳ báo cáo đã khóa.",), revision=Revision(1, 2, (), ()), locked=True)
    for _ in range(2):
        _run(settings, locked)
    assert _told(settings) == [("held_by_lock", UNIT)]


def test_a_copy_that_failed_is_told_until_it_is_made(settings: Settings) -> None:
    pipeline, place = Pipeline(settings), f"{UNIT}/{QUARTER}"
    for copies in (
        {place: PostgresError("không kết nối được")},
        {place: PostgresError("không kết nối được")},
        {place: 1},
    ):
        tell_copies(pipeline, QUARTER, copies, "")
    assert _told(settings) == [("postgres_failed", UNIT)]
    tell_copies(pipeline, QUARTER, {place: PostgresError("không kết nối được")}, "")
    assert len(_lines(settings)) == 2


def _instance() -> dg.DagsterInstance:
    instance = dg.DagsterInstance.ephemeral()
    add_quarters(instance, period_named(QUARTER).closes_on)
    return instance


def _publish_alone(settings: Settings) -> tuple[dg.ExecuteInProcessResult, dg.DagsterInstance]:
    instance = _instance()
    result = dg.materialize(
        [published_assets([], Catalogue({}, {}))],
        partition_key=QUARTER,
        instance=instance,
        resources={"scope": Scope(), "pipeline": Pipeline(settings)},
        raise_on_error=False,
    )
    return result, instance


def test_a_quarter_that_nobody_sent_anything_for_is_no_success_and_told_once(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    settings.paths.create()
    for _ in range(2):
        result, instance = _publish_alone(settings)
        assert not result.success
        (step,) = result.get_step_failure_events()
        assert "Chưa đơn vị báo cáo nào gửi tệp" in step.event_specific_data.user_failure_data.description
        _tick_of_the_failure_sensor(settings, result, instance)
    assert _told(settings) == [("nothing_delivered", None)]


def _tick_of_the_failure_sensor(settings: Settings, result: Any, instance: dg.DagsterInstance) -> None:
    event = next(e for e in result.all_events if e.event_type is dg.DagsterEventType.RUN_FAILURE)
    context = dg.build_run_status_sensor_context(
        sensor_name="alert_on_failure", dagster_event=event, dagster_instance=instance, dagster_run=result.dagster_run
    ).for_run_failure()
    failure_alert(settings)(context)


def _broken(pipeline: Pipeline | None = None) -> dg.AssetsDefinition:
    @dg.asset(partitions_def=quarters(), group_name="raw")
    def broken() -> None:
        if pipeline:
            pipeline.record.add_verdicts({UNIT: _verdict("đơn vị 945 chưa gửi")})
        raise RuntimeError("Nguyễn Văn A không phải số")

    return broken


def test_a_step_that_breaks_is_told_without_what_it_quotes_and_so_is_who_was_held_back_by_then(
    settings: Settings,
) -> None:
    pipeline, instance = Pipeline(settings), _instance()
    definitions = dg.Definitions(
        assets=[_broken(pipeline)], jobs=[quarter_job()], resources={"scope": Scope(), "pipeline": pipeline}
    )
    result = definitions.resolve_job_def("quarter").execute_in_process(
        partition_key=QUARTER, instance=instance, raise_on_error=False
    )
    for _ in range(2):
        _tick_of_the_failure_sensor(settings, result, instance)
    assert _told(settings) == [("held_back", UNIT), ("run_failed", None)]
    line = _lines(settings)[1]
    assert (line["message"], line["reasons"][0]) == ("Quý I/2023: lượt chạy hỏng", "Bước broken hỏng: RuntimeError")
    assert line["links"] == {"Lượt chạy": f"http://127.0.0.1:3000/runs/{result.run_id}"}


def test_the_command_line_tells_as_the_server_does(
    settings: Settings, tmp_path: Path, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli(settings.home, "run", "2022-Q4").code == 1
    assert _told(settings) == [("nothing_delivered", None)]

    monkeypatch.setattr(
        "orchestration.build.build_definitions",
        lambda made, pipeline: dg.Definitions(
            assets=[_broken()], jobs=[quarter_job()], resources={"scope": Scope(), "pipeline": pipeline}
        ),
    )
    for _ in range(2):
        assert cli(settings.home, "ingest", QUARTER).code == 3
    assert _told(settings)[1:] == [("run_failed", None)]
    assert "Nguyễn" not in settings.alerts_path().read_text(encoding="utf-8")

    def unable(*_: Any, **__: Any) -> None:
        raise RuntimeError("hỏng")

    monkeypatch.setattr("orchestration.cli.app.execute", unable)
    assert cli(settings.home, "ingest", QUARTER).code == 3
    assert _lines(settings)[-1]["reasons"][0] == "RuntimeError"


def test_a_whole_run_of_the_command_line_tells_its_release_and_nothing_else(published_home: Path) -> None:
    (line,) = _lines(Settings(home=published_home))
    assert (line["kind"], line["unit"], line["message"]) == (
        "published", UNIT, "945 Huyện Cù Lao Dung, Quý I/2023: đã công bố bản r1",
    )  # fmt: skip
    assert Path(line["links"]["Trang số liệu"]).is_file()


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "null"])
def test_a_damaged_record_of_what_was_told_costs_one_repetition(tmp_path: Path, content: str) -> None:
    settings = _settings(tmp_path)
    tell(settings, HELD)
    settings.paths.told.write_text(content)
    for _ in range(2):
        tell(settings, HELD)
    assert _told(settings) == [("held_back", UNIT)] * 2
