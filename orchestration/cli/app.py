"""The commands of ``cchc``: what may be asked, and what is answered.

Belongs here: commands, their options and exit codes, whether a command has the home to itself. Does not belong here:
what a command says of its subject (the module beside this one that is named after it).
"""

from __future__ import annotations

import datetime as dt
import json as jsonlib
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from common.periods import find_period, load_periods, place_of
from ingestion import DamagedError
from orchestration.automation import automation
from orchestration.backup import BackupError
from orchestration.causes import cause_vi
from orchestration.cli.overview import ingest_summary, problem_lines, quarter_status, verify_releases
from orchestration.cli.postgres import copied_document, copied_lines, copy_all, with_copies
from orchestration.cli.runs import RunResult, Stage, alone, execute, exit_code, open_pipeline
from orchestration.cli.terminal import Exit, WrongUse, complain, emit, interrupts
from orchestration.locks import HomeBusy, WarehouseHeld
from orchestration.pipeline import Pipeline
from orchestration.provinces import provinces_of, roll_up_all
from orchestration.reports import unit_reports
from orchestration.settings import WRONG_SETTINGS, Home, Settings, load_settings, wrong_settings_vi
from orchestration.stages import draft as make_drafts
from orchestration.standing import standing
from orchestration.telling import nothing_delivered_vi, tell_error, tell_nothing_delivered, tell_provinces
from orchestration.timing import now
from orchestration.units import ReportingUnits, UnknownUnit

app = typer.Typer(
    name="cchc",
    help="Báo cáo cải cách hành chính hằng quý: từ tệp các đơn vị gửi đến bản công bố.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

#: What Typer makes of an interrupt.
_INTERRUPTED = 130
T = TypeVar("T")
Quarter = Annotated[str, typer.Argument(help="Kỳ báo cáo, ví dụ 2023-Q1.", metavar="QUARTER")]
Units = Annotated[
    list[str] | None, typer.Option("--unit", help="Mã đơn vị báo cáo; lặp lại được. Mặc định: mọi đơn vị.")
]
Json = Annotated[bool, typer.Option("--json", help="In kết quả dạng JSON.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="In nhật ký và thời gian từng bước.")]
Unit = Annotated[str, typer.Option("--unit", help="Mã đơn vị báo cáo.")]
Reason = Annotated[str, typer.Option("--reason", help="Lý do; ghi vào hồ sơ của kỳ báo cáo.")]
By = Annotated[str, typer.Option("--by", help="Người hoặc chức danh quyết định; ghi vào hồ sơ của kỳ báo cáo.")]
Amend = Annotated[bool, typer.Option("--amend", help="Công bố cả khi kỳ đã khóa; cần --unit và --reason.")]


def run_app(arguments: list[str]) -> int:
    """Runs one command and returns its exit code; nothing escapes as a stack trace but with ``--verbose``.

    Where a signal ended it, the code is 128 and the signal's number, and one line says so.
    """
    with interrupts.listening():
        code = _run_app(arguments)
        number = interrupts.heard() if code == _INTERRUPTED else None
        if number is not None:
            complain(f"đã dừng theo yêu cầu ({signal.Signals(number).name})")
            return 128 + number
        return code


def _run_app(arguments: list[str]) -> int:
    try:
        app(arguments)
        return Exit.DONE
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else Exit.DONE
    except KeyboardInterrupt:
        return _INTERRUPTED
    except WrongUse as error:
        complain(str(error))
        return Exit.WRONG_USE
    except WRONG_SETTINGS as error:
        complain(wrong_settings_vi(error))
        return Exit.WRONG_USE
    except (WarehouseHeld, HomeBusy) as error:
        complain(str(error))
        return Exit.HELD_BACK
    except (BackupError, DamagedError) as error:
        complain(str(error))
        return Exit.FAILED
    except Exception as error:
        if "--verbose" in arguments:
            raise
        cause = cause_vi(f"{type(error).__name__}: {error}", load_settings())
        complain(cause or f"hệ thống gặp lỗi: {type(error).__name__}: {error}")
        return Exit.FAILED


def _end(code: Exit) -> None:
    """Leaves a command with its exit code."""
    if code is not Exit.DONE:
        raise typer.Exit(code)


def known_quarter(quarter: str) -> str:
    """The quarter itself; raises ``WrongUse`` where the table of periods does not know it."""
    if find_period(quarter) is None:
        periods = load_periods()
        raise WrongUse(
            f"không có kỳ báo cáo {quarter!r}; "
            "các kỳ có dạng 2023-Q1 (quý), 2023-H1 (6 tháng), 2023-M9 (9 tháng), 2023-Y (năm), "
            f"từ {periods[0].quarter} đến {periods[-1].quarter}"
        )
    return quarter


def known_units(
    register: ReportingUnits, quarter: str, units: list[str], *, with_superior: bool = False, home: Home | None = None
) -> list[str]:
    """The units, each once; raises ``WrongUse`` where a code does not report in the quarter, and says who does.

    ``with_superior``: what is asked can be done with the releases of a province too. ``home``: what is asked is for the
    home that serves the unit alone, since it makes its releases or moves its pointer.
    """
    for code in units:
        if home is not None and not home.serves(code):
            served = ", ".join(sorted(home.units))
            raise WrongUse(f"{code} không do nơi này báo cáo (cài đặt units: {served}); chạy ở nơi báo cáo của {code}")
        if with_superior and register.is_superior(code, quarter):
            continue
        try:
            reporting = register.reporting_unit(code, quarter)
        except UnknownUnit as error:
            raise WrongUse(str(error)) from error
        if reporting != code:
            raise WrongUse(f"{code} không báo cáo riêng trong kỳ {quarter}; đơn vị báo cáo là {reporting}")
    return sorted(set(units))


def _run(
    stage: Stage,
    quarters: list[str],
    units: list[str],
    *,
    as_json: bool,
    verbose: bool,
    wait: bool = True,
    amend: bool = False,
    reason: str = "",
    by: str = "",
    full: bool = True,
) -> None:
    """Runs a stage of the job for each quarter, in the order of the table, and answers for each unit. Without ``full``
    nothing is done for a quarter where all that a run would make stands already.

    What holds one quarter back, or breaks it, does not keep the next from its turn; the worst of their codes is the
    command's.
    """
    from orchestration.cli import revisions

    settings = load_settings()
    wanted = {known_quarter(quarter) for quarter in quarters}
    revisions.check_amend_options(amend, reason, by)
    answers: list[Answer] = []
    for quarter in [period.quarter for period in load_periods() if period.quarter in wanted]:
        with (
            _failure_told(settings, quarter),
            open_pipeline(settings, stage, quarter, quiet=as_json, wait=wait) as pipeline,
        ):
            known = known_units(pipeline.units, quarter, units, home=pipeline.home) if units else []
            if amend:
                pipeline.amendment = revisions.amendment_of(pipeline, quarter, known, reason, by)
            answer = _run_quarter(pipeline, stage, quarter, known, verbose=verbose, full=full or amend)
            pipeline.record.exit_code = int(answer.code)
        answers.append(answer)
        if not as_json:
            emit(answer.lines, None, as_json=False)
    if as_json:
        documents = [answer.document for answer in answers]
        emit([], documents[0] if len(documents) == 1 else {"quarters": documents}, as_json=True)
    _end(max((answer.code for answer in answers), key=_WORST.index))


@contextmanager
def _failure_told(settings: Settings, quarter: str) -> Iterator[None]:
    """Tells what breaks outside the steps of a run; wrong use and a busy home are answers to whoever asked."""
    try:
        yield
    except (WrongUse, HomeBusy):
        raise
    except Exception as error:
        tell_error(settings, quarter, error)
        raise


#: From the best to the worst a run may come to.
_WORST = (Exit.DONE, Exit.HELD_BACK, Exit.FAILED)


@dataclass(frozen=True)
class Answer:
    """What a run of one quarter came to: for people, for machines, and as exit code."""

    lines: list[str]
    document: dict[str, Any]
    code: Exit


def _run_quarter(
    pipeline: Pipeline, stage: Stage, quarter: str, units: list[str], *, verbose: bool, full: bool
) -> Answer:
    """Runs the stage and answers; what was wrong with the home itself comes first, and is a failure where it stays."""
    record, pipeline.full = pipeline.record, full
    if not full and (outcomes := standing(pipeline, quarter, units)) is not None:
        record.outcomes, record.units = outcomes, tuple(units)
        # Units of a province that other homes report for may have published since.
        rolled_up = roll_up_all(pipeline, quarter, provinces_of(pipeline, quarter))
        tell_provinces(pipeline, quarter, [one.outcome.unit_code for one in rolled_up], record.run_id)
        answer = _answer_by_unit(pipeline, stage, quarter, units, RunResult(True, {}))
    else:
        answer = _ran(pipeline, stage, quarter, units, verbose=verbose)
    lines = [*record.healing_lines(), *answer.lines]
    document = {**answer.document, "mended": [asdict(one) for one in record.mended], "damaged": record.damaged}
    return Answer(lines, document, Exit.FAILED if record.damaged else answer.code)


def _ran(pipeline: Pipeline, stage: Stage, quarter: str, units: list[str], *, verbose: bool) -> Answer:
    pipeline.warm_up(gate=stage.checks, dbt=stage.builds)
    if not pipeline.deliveries.exist(quarter):
        message = f"chưa có tệp nào của kỳ {quarter} trong {pipeline.home.landing}"
        tell_nothing_delivered(pipeline.settings, quarter)
        return Answer([message], {"quarter": quarter, "units": [], "message": message}, Exit.HELD_BACK)
    result = execute(pipeline, stage, quarter, units, verbose=verbose)
    if stage is Stage.REVIEW and not result.broken_steps:
        make_drafts(pipeline, quarter, units)
        if not units:
            roll_up_all(pipeline, quarter, provinces_of(pipeline, quarter), only_draft=True)
    pipeline.timings.write(pipeline.home.timings)
    answer_of = _answer_without_units if stage in (Stage.INGEST, Stage.BUILD) else _answer_by_unit
    answer = answer_of(pipeline, stage, quarter, units, result)
    if verbose:
        complain(jsonlib.dumps(pipeline.timings.as_dict()))
    return answer


def _answer_by_unit(pipeline: Pipeline, stage: Stage, quarter: str, units: list[str], result: RunResult) -> Answer:
    in_scope = pipeline.deliveries.units_in(quarter, units)
    reports = unit_reports(pipeline, quarter, in_scope, checked_only=stage is Stage.CHECK)
    lines = [*(line for report in reports for line in report.lines()), *copied_lines(pipeline)]
    lines += [line for one in pipeline.record.provinces for line in one.lines()]
    if not reports:
        lines.append(nothing_delivered_vi(quarter))
    lines += problem_lines(pipeline)
    document = {"quarter": quarter, "units": [r.as_dict() for r in reports], **_ending(pipeline, result)}
    document["not_deliveries"] = [asdict(problem) for problem in pipeline.record.problems]
    document["postgres"] = copied_document(pipeline)
    code = with_copies(exit_code(result, reports), pipeline)
    return Answer([*lines, *_broken_lines(pipeline, result)], document, code)


def _answer_without_units(
    pipeline: Pipeline, stage: Stage, quarter: str, units: list[str], result: RunResult
) -> Answer:
    document: dict[str, Any] = {"quarter": quarter, **_ending(pipeline, result)}
    if stage is Stage.BUILD:
        lines = [] if result.broken_steps else [f"{quarter}: đã tính xong số liệu, {pipeline.home.built_marts}"]
        rejected = False
    else:
        lines, found, rejected = ingest_summary(pipeline, quarter, units)
        document |= found
    lines += _broken_lines(pipeline, result)
    if result.broken_steps or pipeline.record.has_faults:
        return Answer(lines, document, Exit.FAILED)
    return Answer(lines, document, Exit.HELD_BACK if rejected else Exit.DONE)


def _ending(pipeline: Pipeline, result: RunResult) -> dict[str, Any]:
    return {"broken_steps": result.broken_steps, "timings": pipeline.timings.as_dict()}


def _broken_lines(pipeline: Pipeline, result: RunResult) -> list[str]:
    lines = [f"bước {step} hỏng: {message.splitlines()[0]}" for step, message in result.broken_steps.items()]
    return [*lines, f"nhật ký: {pipeline.home.run_log}"] if lines else []


def _asked_quarters(quarters: list[str], first: str | None, last: str | None) -> list[str]:
    """The quarters named, and those from ``first`` to ``last`` that have deliveries; raises ``WrongUse`` for none."""
    if first is None and last is None:
        if not quarters:
            raise WrongUse("nêu ít nhất một kỳ báo cáo, ví dụ cchc run 2023-Q1, hoặc --from 2022-Q4 --to 2023-Q2")
        return quarters
    delivered = Pipeline(load_settings()).deliveries.quarters()
    if not delivered:
        raise WrongUse(f"chưa có tệp nào trong {load_settings().paths.landing}")
    begin, end = known_quarter(first or delivered[0]), known_quarter(last or delivered[-1])
    found = [quarter for quarter in delivered if place_of(begin) <= place_of(quarter) <= place_of(end)]
    if not found:
        raise WrongUse(f"từ {begin} đến {end} không có kỳ nào có tệp đã gửi; các kỳ có tệp: {', '.join(delivered)}")
    return [*quarters, *found]


@app.command()
def run(
    quarter: Annotated[
        list[str] | None,
        typer.Argument(help="Các kỳ báo cáo, ví dụ 2023-Q1; chạy theo thứ tự thời gian.", metavar="QUARTER..."),
    ] = None,
    unit: Units = None,
    first: Annotated[str | None, typer.Option("--from", help="Chạy mọi kỳ có tệp, từ kỳ này.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Chạy mọi kỳ có tệp, đến kỳ này.")] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Làm lại mọi bước, kể cả khi không có gì thay đổi từ lần chạy trước.")
    ] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Không chờ lượt chạy khác trong cùng thư mục; kết thúc với mã 1.")
    ] = False,
    amend: Amend = False,
    reason: Reason = "",
    by: By = "",
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Nhận dữ liệu, tính, kiểm tra và công bố một hoặc nhiều kỳ báo cáo."""
    quarters = _asked_quarters(quarter or [], first, last)
    _run(
        Stage.RUN,
        quarters,
        unit or [],
        as_json=json,
        verbose=verbose,
        wait=not no_wait,
        amend=amend,
        reason=reason,
        by=by,
        full=full,
    )


@app.command()
def ingest(quarter: Quarter, unit: Units = None, json: Json = False, verbose: Verbose = False) -> None:
    """Chỉ nhận các tệp đã gửi vào kho dữ liệu thô."""
    _run(Stage.INGEST, [quarter], unit or [], as_json=json, verbose=verbose)


@app.command()
def build(quarter: Quarter, json: Json = False, verbose: Verbose = False) -> None:
    """Chỉ tính số liệu từ kho dữ liệu thô."""
    _run(Stage.BUILD, [quarter], [], as_json=json, verbose=verbose)


@app.command()
def check(quarter: Quarter, unit: Units = None, json: Json = False, verbose: Verbose = False) -> None:
    """Chỉ kiểm tra dữ liệu và số liệu đã tính."""
    _run(Stage.CHECK, [quarter], unit or [], as_json=json, verbose=verbose)


@app.command()
def publish(
    quarter: Quarter,
    unit: Units = None,
    amend: Amend = False,
    reason: Reason = "",
    by: By = "",
    json: Json = False,
    verbose: Verbose = False,
) -> None:
    """Chỉ công bố số liệu đã đạt kiểm tra; chạy lại không sinh bản mới."""
    _run(Stage.PUBLISH, [quarter], unit or [], as_json=json, verbose=verbose, amend=amend, reason=reason, by=by)


@app.command()
def review(quarter: Quarter, unit: Units = None, json: Json = False, verbose: Verbose = False) -> None:
    """Lập bản dự thảo: nhận dữ liệu, tính, kiểm tra rồi lập đủ báo cáo để xem trước; không công bố gì."""
    asked, register = unit or [], ReportingUnits()
    above = [code for code in asked if register.is_superior(code, known_quarter(quarter))]
    if above:
        from orchestration.cli import provinces

        if len(above) < len(asked):
            raise WrongUse("bản dự thảo của tỉnh và của đơn vị được lập bằng hai lệnh riêng; nêu riêng từng loại")
        lines, document, code = provinces.answer(Pipeline(load_settings()), quarter, above, only_draft=True)
        emit(lines, document, as_json=json)
        _end(code)
        return
    _run(Stage.REVIEW, [quarter], unit or [], as_json=json, verbose=verbose)


@app.command()
def approve(
    quarter: Quarter,
    unit: Unit,
    by: Annotated[str, typer.Option("--by", help="Người phê duyệt, ghi cả chức danh.")],
    document: Annotated[str, typer.Option("--document", help="Số, ngày của văn bản phê duyệt.")],
    draft: Annotated[str, typer.Option("--draft", help="Mã bản dự thảo đã xem; khác mã này thì không công bố.")] = "",
    json: Json = False,
) -> None:
    """Phê duyệt: công bố đúng bản dự thảo đã xem, ghi người và văn bản phê duyệt."""
    from orchestration.cli import approvals

    settings = load_settings()
    (known,) = known_units(ReportingUnits(), known_quarter(quarter), [unit], with_superior=True, home=settings.paths)
    with alone(settings, f"cchc approve {quarter}"):
        pipeline = Pipeline(settings)
        lines, document_, code = approvals.approved(pipeline, known, quarter, by, document, draft)
    emit([*lines, *copied_lines(pipeline)], document_, as_json=json)
    _end(with_copies(code, pipeline))


@app.command()
def attach(
    quarter: Quarter,
    unit: Unit,
    file: Annotated[Path, typer.Argument(help="Báo cáo đã ký, tệp PDF.", metavar="FILE")],
    release: Annotated[int | None, typer.Option("--release", min=1, help="Số bản; mặc định: hiện hành.")] = None,
    by: By = "",
    json: Json = False,
) -> None:
    """Đính kèm báo cáo đã ký (PDF) vào bản công bố của nó; có chữ ký số thì kiểm tra và nói rõ."""
    from orchestration.cli import attachments

    settings = load_settings()
    (known,) = known_units(ReportingUnits(), known_quarter(quarter), [unit], with_superior=True, home=settings.paths)
    with alone(settings, f"cchc attach {quarter}"):
        lines, document, code = attachments.attached(Pipeline(settings), known, quarter, file, release, by)
    emit(lines, document, as_json=json)
    _end(code)


def _move(move: str, quarter: str, unit: str, reason: str, by: str, *, as_json: bool, to: int | None = None) -> None:
    """Locks, unlocks or rolls back one unit's quarter."""
    from orchestration.cli import revisions

    pipeline = Pipeline(load_settings())
    (known,) = known_units(pipeline.units, known_quarter(quarter), [unit], with_superior=True, home=pipeline.home)
    with alone(pipeline.settings, f"cchc {move} {quarter}"):
        lines, document = revisions.moved(move, pipeline, known, quarter, reason, by, to=to)
    emit([*lines, *copied_lines(pipeline)], document, as_json=as_json)
    _end(with_copies(Exit.DONE, pipeline))


@app.command()
def lock(quarter: Quarter, unit: Unit, reason: Reason, by: By = "", json: Json = False) -> None:
    """Khóa một kỳ báo cáo đã ký: số liệu mới chỉ được công bố với --amend và lý do."""
    _move("lock", quarter, unit, reason, by, as_json=json)


@app.command()
def unlock(quarter: Quarter, unit: Unit, reason: Reason, by: By = "", json: Json = False) -> None:
    """Mở khóa một kỳ báo cáo."""
    _move("unlock", quarter, unit, reason, by, as_json=json)


@app.command()
def rollback(
    quarter: Quarter,
    unit: Unit,
    reason: Reason,
    to: Annotated[int, typer.Option("--to", min=1, help="Số của bản công bố cần quay về.")],
    by: By = "",
    json: Json = False,
) -> None:
    """Lấy một bản công bố khác làm bản hiện hành; không xóa, không sửa bản nào."""
    _move("rollback", quarter, unit, reason, by, as_json=json, to=to)


@app.command()
def diff(
    quarter: Quarter,
    unit: Units = None,
    old: Annotated[int | None, typer.Option("--from", min=1, help="Số của bản cũ; mặc định: bản liền trước.")] = None,
    new: Annotated[int | None, typer.Option("--to", min=1, help="Số của bản mới; mặc định: bản hiện hành.")] = None,
    json: Json = False,
) -> None:
    """Số liệu nào đã thay đổi giữa hai bản công bố, và vì sao."""
    from orchestration.cli import revisions

    pipeline = Pipeline(load_settings())
    units = known_units(pipeline.units, known_quarter(quarter), unit or [], with_superior=True)
    lines, document = revisions.differences(pipeline, quarter, units, old, new)
    emit(lines, document, as_json=json)


@app.command()
def sample(
    quarter: Annotated[
        list[str] | None,
        typer.Option(
            "--quarter",
            help="Kỳ báo cáo; lặp lại được. Mặc định: 2022-Q4, 2023-Q1, 2023-Q2 và kỳ cuối 2025-Q3E (huyện), "
            "2025-Q3, 2025-Q4, 2026-Q1 (hai xã kế tục); còn có các kỳ khác của năm 2023.",
        ),
    ] = None,
    scale: Annotated[int, typer.Option("--scale", min=1, help="Nhân số hồ sơ lên chừng này lần.")] = 1,
    seed: Annotated[int | None, typer.Option("--seed", min=0, max=2**32 - 1, help="Hạt giống của dữ liệu mẫu.")] = None,
    province: Annotated[
        str,
        typer.Option(
            "--province",
            help="Mọi huyện của tỉnh này, ví dụ 94; từ 2025-Q3 mọi xã, phường của tỉnh, ví dụ 92, và bảng số trên Cổng "
            "của tỉnh; danh mục và số liệu sở, ban, ngành của tỉnh. Mặc định: một huyện.",
        ),
    ] = "",
    json: Json = False,
) -> None:
    """Ghi bộ tệp mẫu đầy đủ của một huyện và hai xã kế tục vào thư mục nhận; không ghi vào nơi đã có tệp của đơn vị."""
    from sample import DEFAULT_SEED, LARGEST_SCALE, PERIODS, WRITTEN, ForeignFiles

    if scale > LARGEST_SCALE:
        raise WrongUse(
            f"--scale {scale}: nhiều nhất là {LARGEST_SCALE}, vì số thứ tự trong ngày của mã hồ sơ có tối đa 7 chữ số"
        )
    settings = load_settings()
    quarters = [known_quarter(name) for name in quarter or WRITTEN]
    if missing := sorted(set(quarters) - set(PERIODS)):
        raise WrongUse(f"dữ liệu mẫu không có kỳ {', '.join(missing)}; chỉ có {', '.join(PERIODS)}")
    with alone(settings, "cchc sample"):
        try:
            seed = DEFAULT_SEED if seed is None else seed
            files = _write_samples(settings, quarters, scale, seed, province)
        except ForeignFiles as error:
            shown = ", ".join(error.files[:5]) + (f" và {len(error.files) - 5} tệp khác" if error.files[5:] else "")
            raise WrongUse(
                f"{settings.paths.landing} có tệp không do cchc sample ghi nên không ghi dữ liệu mẫu vào: {shown}; "
                "đặt CCHC_HOME là một thư mục khác"
            ) from error
    document = {"landing": str(settings.paths.landing), "quarters": quarters, "files": len(files)}
    emit([f"đã ghi {len(files)} tệp mẫu vào {settings.paths.landing}"], document, as_json=json)


def _write_samples(settings: Settings, quarters: list[str], scale: int, seed: int, province: str) -> list[Path]:
    """The sample of one district, or of every district of a province; after the reform of its communes."""
    from sample import COMMUNE_QUARTERS, districts_of, write_sample

    landing = settings.paths.landing
    if not province:
        return write_sample(landing, quarters, scale=scale, seed=seed)
    files: list[Path] = []
    for quarter in quarters:
        try:
            if quarter in COMMUNE_QUARTERS:
                files += write_sample(landing, [quarter], seed=seed, province=province)
                continue
            for district in districts_of(province, quarter):
                files += write_sample(landing, [quarter], scale=scale, seed=seed, district=district)
            files += write_sample(landing, [quarter], seed=seed, province=province)
        except KeyError as error:
            raise WrongUse(f"dữ liệu mẫu không có đơn vị nào của {province[:20]!r} trong kỳ {quarter}") from error
    return files


@app.command("check-file")
def check_file(
    source: Annotated[str, typer.Argument(help="Nguồn số liệu, ví dụ one_stop_cases.", metavar="SOURCE")],
    file: Annotated[Path, typer.Argument(help="Tệp cần thử.", metavar="FILE")],
    unit: Annotated[str, typer.Option("--unit", help="Mã đơn vị nộp; mặc định theo thư mục của tệp.")] = "",
    quarter: Annotated[str, typer.Option("--quarter", help="Kỳ báo cáo; mặc định theo thư mục của tệp.")] = "",
    out: Annotated[Path | None, typer.Option("--out", help="Ghi bảng tính các dòng bị trả lại vào tệp này.")] = None,
    json: Json = False,
) -> None:
    """Thử một tệp trước khi nộp: dòng nào được nhận, dòng nào bị trả lại và vì sao. Không lưu lại gì."""
    from orchestration.cli import clerk

    pipeline = Pipeline(load_settings())
    name = clerk.known_source(source)
    place = _asked(lambda: clerk.place_of(pipeline, file, unit or None, known_quarter(quarter) if quarter else None))
    found = clerk.checked(pipeline, name, file, *place)
    told = clerk.answer(found, out)
    lines, document, code = clerk.against_findings(pipeline, found, told) if name == clerk.DECISIONS else told
    emit(lines, document, as_json=json)
    _end(code)


@app.command()
def template(
    source: Annotated[str, typer.Argument(help="Nguồn số liệu, ví dụ one_stop_cases.", metavar="SOURCE")],
    unit: Annotated[str, typer.Option("--unit", help="Mã đơn vị nộp; cần cả --quarter.")] = "",
    quarter: Annotated[str, typer.Option("--quarter", help="Kỳ báo cáo.")] = "",
    out: Annotated[Path | None, typer.Option("--out", help="Tệp cần ghi; mặc định mau-SOURCE….xlsx.")] = None,
    json: Json = False,
) -> None:
    """Ghi mẫu trống của một nguồn số liệu, có danh sách chọn, lời nhắc và ví dụ."""
    from orchestration.cli import clerk

    pipeline = Pipeline(load_settings())
    name = clerk.known_source(source)
    asked = known_quarter(quarter) if quarter else None
    path = _asked(lambda: clerk.template(pipeline, name, unit or None, asked, out))
    emit([f"đã ghi mẫu {path}"], {"source": name, "template": str(path)}, as_json=json)


def _asked(answer: Callable[[], T]) -> T:
    """The answer; a unit that does not exist then is wrong use."""
    try:
        return answer()
    except UnknownUnit as error:
        raise WrongUse(str(error)) from error


@app.command("check-report")
def check_report(
    file: Annotated[Path, typer.Argument(help="Báo cáo đã viết, .docx hoặc .txt.", metavar="FILE")],
    unit: Annotated[str, typer.Option("--unit", help="Mã đơn vị báo cáo.")],
    quarter: Annotated[str, typer.Option("--quarter", help="Kỳ báo cáo, ví dụ 2023-Q1.")],
    release: Annotated[
        int | None, typer.Option("--release", min=1, help="Số của bản công bố; mặc định: bản hiện hành.")
    ] = None,
    json: Json = False,
) -> None:
    """Đối chiếu từng con số trong lời văn và phụ lục của một báo cáo với số liệu đã công bố."""
    from orchestration.cli import report_check

    settings = load_settings()
    known_units(ReportingUnits(), known_quarter(quarter), [unit])
    asked = report_check.release_asked(settings, unit, quarter, release)
    lines, document, code = report_check.answer(report_check.checked(file, asked), file, asked)
    emit(lines, document, as_json=json)
    _end(code)


@app.command()
def purge(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Chỉ nói sẽ xóa gì.")] = False,
    today: Annotated[str, typer.Option("--today", help="Tính như vào ngày này, dạng 2026-12-31.")] = "",
    json: Json = False,
) -> None:
    """Xóa bản gốc và bảng tính dòng bị trả lại đã quá thời hạn lưu, và ghi sổ việc xóa."""
    from orchestration.cli import housekeeping

    day = housekeeping.day_of(today) if today else now().date()
    settings = load_settings()
    with nullcontext() if dry_run else alone(settings, "cchc purge"):
        lines, document, whole = housekeeping.purged(Pipeline(settings), day, dry_run=dry_run)
    emit(lines, document, as_json=json)
    _end(Exit.DONE if whole else Exit.FAILED)


Repository = Annotated[str, typer.Argument(help="Thư mục hoặc địa chỉ kho sao lưu (restic).", metavar="DEST")]


@app.command()
def backup(repository: Repository, json: Json = False) -> None:
    """Sao lưu mọi thứ không dựng lại được: tệp đã gửi, kho dữ liệu thô, bản công bố, biểu mẫu, khóa, các sổ; chỉ ghi
    phần chưa có.
    """
    from orchestration.cli import housekeeping

    settings = load_settings()
    with alone(settings, "cchc backup"):
        lines, document = housekeeping.backed_up(settings, repository)
    emit(lines, document, as_json=json)


@app.command()
def restore(
    repository: Repository,
    snapshot: Annotated[str, typer.Option("--snapshot", help="Bản sao lưu; mặc định: bản mới nhất.")] = "latest",
    json: Json = False,
) -> None:
    """Dựng lại thư mục làm việc (còn trống) từ bản sao lưu, rồi kiểm tra từng bản công bố."""
    from orchestration.cli import housekeeping

    lines, document, whole = housekeeping.restored(load_settings(), repository, snapshot)
    emit(lines, document, as_json=json)
    _end(Exit.DONE if whole else Exit.FAILED)


@app.command()
def rebuild(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Chỉ nói sẽ dựng lại gì.")] = False, json: Json = False
) -> None:
    """Kiểm tra và dựng lại những gì suy ra được: kho số liệu, bảng tệp nhận, dữ liệu thô, mục lục, con trỏ."""
    from orchestration.cli import rebuild as rebuilding

    settings = load_settings()
    with alone(settings, "cchc rebuild"):
        lines, document, whole = rebuilding.rebuilt(settings, dry_run=dry_run)
    emit(lines, document, as_json=json)
    _end(Exit.DONE if whole else Exit.FAILED)


@app.command()
def prepare(json: Json = False) -> None:
    """Chuẩn bị thư mục làm việc trước khi máy chủ khởi động; lượt chạy đã bị tắt ngang được ghi là hỏng."""
    from orchestration.cli import housekeeping

    settings = load_settings()
    lines, document = housekeeping.prepared(settings)
    emit(lines, document, as_json=json)


@app.command()
def province(
    quarter: Quarter,
    unit: Annotated[list[str], typer.Option("--unit", help="Mã tỉnh, thành phố; lặp lại được.")],
    amend: Amend = False,
    reason: Reason = "",
    by: By = "",
    json: Json = False,
) -> None:
    """Tổng hợp toàn tỉnh từ bản công bố của các đơn vị: cộng, tính lại tỷ lệ, xếp hạng, rồi công bố."""
    from orchestration.cli import provinces, revisions

    revisions.check_amend_options(amend, reason, by)
    pipeline = Pipeline(load_settings())
    if amend:
        pipeline.amendment = revisions.amendment_of(pipeline, known_quarter(quarter), unit, reason, by)
    lines, document, code = provinces.answer(pipeline, known_quarter(quarter), unit)
    emit(lines, document, as_json=json)
    _end(code)


@app.command()
def postgres(json: Json = False) -> None:
    """Chép mọi bản công bố hiện hành sang PostgreSQL; bản đã có thì thôi."""
    lines, document, code = copy_all(Pipeline(load_settings()))
    emit(lines, document, as_json=json)
    _end(code)


@app.command()
def status(
    quarter: Annotated[str, typer.Argument(help="Kỳ báo cáo; mặc định: mọi kỳ có dữ liệu.")] = "", json: Json = False
) -> None:
    """Đơn vị nào đã gửi, còn thiếu gì, bị giữ lại vì sao, đã công bố gì; chế độ tự chạy có bật không."""
    pipeline = Pipeline(load_settings())
    quarters = [known_quarter(quarter)] if quarter else pipeline.deliveries.quarters()
    found = [quarter_status(pipeline, name) for name in quarters]
    lines = [line for one in found for line in one.lines()] or ["chưa có dữ liệu nào"]
    by_itself = automation(pipeline.settings)
    document = {"quarters": [one.as_dict() for one in found], "automation": asdict(by_itself)}
    emit([*lines, *by_itself.lines()], document, as_json=json)


@app.command()
def history(
    quarter: Annotated[str, typer.Option("--quarter", help="Chỉ các lượt chạy của kỳ này.")] = "",
    unit: Annotated[str, typer.Option("--unit", help="Chỉ các lượt chạy có đơn vị này, và kết quả của đơn vị.")] = "",
    last: Annotated[int, typer.Option("--last", min=1, help="Chừng này lượt mới nhất.")] = 20,
    json: Json = False,
) -> None:
    """Các lượt chạy đã qua: kết thúc ra sao, bao lâu, bao nhiêu dòng, đơn vị nào bị giữ lại, công bố gì."""
    from orchestration.cli import history as past

    if unit and unit not in {known.code for known in ReportingUnits().reference.admin_units}:
        raise WrongUse(f"không có đơn vị nào mang mã {unit[:40]!r}")
    lines, document = past.answer(load_settings(), known_quarter(quarter) if quarter else "", unit, last)
    emit(lines, document, as_json=json)


@app.command()
def verify(
    release: Annotated[str, typer.Argument(help="Thư mục bản công bố; mặc định: mọi bản từng công bố.")] = "",
    json: Json = False,
) -> None:
    """Đối chiếu từng tệp của bản công bố với bản kê, và nhật ký thao tác với các bản công bố."""
    from orchestration.cli import housekeeping
    from publication import all_releases

    settings = load_settings()
    if release and not os.path.isdir(release):  # a name too long is no folder either
        raise WrongUse(f"không có thư mục {release}")
    if release:
        lines, document, whole = verify_releases([Path(release)])
    else:
        lines, document, whole = housekeeping.verified(settings, all_releases(settings.paths.published))
    emit(lines if document["releases"] else ["chưa có bản công bố nào", *lines], document, as_json=json)
    _end(Exit.DONE if whole else Exit.HELD_BACK)


@app.command()
def watch(
    today: Annotated[str, typer.Option("--today", help="Tính như vào ngày này, dạng 2026-12-31.")] = "",
    json: Json = False,
) -> None:
    """Kiểm tra hằng ngày và cảnh báo: tệp còn thiếu, quá hạn, hư hại, ổ đĩa đầy, tự chạy bị tắt."""
    from orchestration.cli import housekeeping

    lines, document = housekeeping.watched(load_settings(), housekeeping.day_of(today) if today else now().date())
    emit(lines, document, as_json=json)
    _end(Exit.HELD_BACK if document["found"] else Exit.DONE)


@app.command()
def doctor(json: Json = False) -> None:
    """Kiểm tra máy, thiết đặt và kho số liệu: mục nào ổn, cần xem, hỏng, và việc cần làm. Không sửa gì."""
    from orchestration.doctor import answer, examine

    lines, document, whole = answer(examine())
    emit(lines, document, as_json=json)
    _end(Exit.DONE if whole else Exit.HELD_BACK)


units_app = typer.Typer(help="Danh mục đơn vị hành chính qua các lần sắp xếp.", no_args_is_help=True)
app.add_typer(units_app, name="units")


@units_app.command("check")
def check_units(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Thư mục có ba bảng đã sửa; mặc định: bảng của chương trình.", metavar="FOLDER"),
    ] = None,
    json: Json = False,
) -> None:
    """Chứng minh danh mục đơn vị khớp cả hai bên mỗi lần sắp xếp: không thiếu, không trùng, đủ văn bản."""
    from orchestration.cli import units as registers

    lines, document, code = registers.check(folder)
    emit(lines, document, as_json=json)
    _end(code)


@units_app.command("show")
def show_unit(
    code: Annotated[str, typer.Argument(help="Mã đơn vị.", metavar="CODE")],
    on: Annotated[
        dt.datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="Ngày cần biết; mặc định: hôm nay.")
    ] = None,
    json: Json = False,
) -> None:
    """Đơn vị nào đã mang mã này, từ đâu mà có, nay là đơn vị nào."""
    from orchestration.cli import units as registers

    lines, document = registers.show(code, on.date() if on else now().date())
    emit(lines, document, as_json=json)


form_app = typer.Typer(help="Biểu mẫu báo cáo do đơn vị đưa vào.", no_args_is_help=True)
app.add_typer(form_app, name="form")


@form_app.command("import")
def import_form(
    workbook: Annotated[Path, typer.Argument(help="Biểu trống của Sở: .xlsx, .xls, .ods, .csv.", metavar="WORKBOOK")],
    issuer: Annotated[str, typer.Option("--issuer", help="Mã tỉnh, thành phố của cơ quan ban hành, ví dụ 92.")],
    level: Annotated[str, typer.Option("--level", help="Cấp đơn vị báo cáo: commune (xã) hoặc district (huyện).")],
    valid_from: Annotated[
        dt.datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="Ngày chốt đầu tiên áp dụng, ví dụ 2026-01-01.")
    ],
    form_id: Annotated[
        str | None, typer.Option("--id", help="Mã biểu; mặc định: <tỉnh>-<cấp>-<ngày>.", metavar="ID")
    ] = None,
    title: Annotated[str, typer.Option("--title", help="Tên gọi in trên trang công bố.")] = "",
    json: Json = False,
) -> None:
    """Đọc biểu trống của Sở, đối chiếu từng dòng với chỉ tiêu đã biết, ghi thư mục biểu mẫu chờ người xác nhận."""
    from orchestration.cli import forms

    settings = load_settings()
    with alone(settings, "cchc form import"):
        lines, document, code = forms.bring(
            Pipeline(settings), workbook, issuer, level, valid_from.date(), form_id, title
        )
    emit(lines, document, as_json=json)
    _end(code)


@form_app.command("check")
def check_form(
    form_id: Annotated[
        str | None, typer.Argument(help="Mã biểu; không ghi: mọi biểu của đơn vị.", metavar="ID")
    ] = None,
    json: Json = False,
) -> None:
    """Biểu mẫu còn thiếu gì trước khi xác nhận."""
    from orchestration.cli import forms

    lines, document, code = forms.check(Pipeline(load_settings()), form_id)
    emit(lines, document, as_json=json)
    _end(code)


@form_app.command("confirm")
def confirm_form(
    form_id: Annotated[str, typer.Argument(help="Mã biểu.", metavar="ID")],
    by: Annotated[str, typer.Option("--by", help="Chức vụ, cơ quan người xác nhận.")],
    json: Json = False,
) -> None:
    """Xác nhận biểu mẫu đúng như đang có; từ đó biểu mẫu được dùng để báo cáo."""
    from orchestration.cli import forms

    settings = load_settings()
    with alone(settings, f"cchc form confirm {form_id}"):  # a run keeps the forms that it began with
        lines, document = forms.take(Pipeline(settings), form_id, by, now().date())
    emit(lines, document, as_json=json)


@app.command()
def explain(
    row: Annotated[str, typer.Argument(help="Mã chỉ tiêu hoặc số dòng của biểu, ví dụ III.25 hay 73.", metavar="ROW")],
    unit: Annotated[str, typer.Option("--unit", help="Mã đơn vị báo cáo.")],
    quarter: Annotated[str, typer.Option("--quarter", help="Kỳ báo cáo, ví dụ 2023-Q1.")],
    release: Annotated[int | None, typer.Option("--release", min=1, help="Số bản; mặc định: hiện hành.")] = None,
    candidate: Annotated[bool, typer.Option("--candidate", help="Xem số liệu chờ công bố.")] = False,
    csv: Annotated[Path | None, typer.Option("--csv", help="Ghi mọi dòng dữ liệu đã tính vào tệp này.")] = None,
    units: Annotated[
        str,
        typer.Option(
            "--units", help="as-was: theo đơn vị hành chính của ngày chốt; as-is: thêm số theo đơn vị hiện nay."
        ),
    ] = "as-was",
    json: Json = False,
) -> None:
    """Một số liệu từ đâu mà có: cách tính, tử số, mẫu số, quyết định, đến từng tệp, trang, dòng."""
    from orchestration.cli import passport
    from orchestration.cli.units import load_register

    if release and candidate:
        raise WrongUse("chỉ dùng một trong hai: --release hoặc --candidate")
    if units not in passport.BASES:
        raise WrongUse(f"--units nhận một trong: {', '.join(passport.BASES)}")
    home, known = load_settings().paths, ReportingUnits()
    known_units(known, known_quarter(quarter), [unit], with_superior=True)
    if candidate and known.is_superior(unit, quarter):
        raise WrongUse("số liệu tổng hợp chờ công bố của tỉnh xem ở bản dự thảo: cchc review")
    register = load_register(None) if units == passport.AS_IS else None
    _end(
        passport.answer(home, row, unit, quarter, release, waiting=candidate, csv=csv, as_json=json, register=register)
    )
