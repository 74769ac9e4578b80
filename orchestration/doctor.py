"""``cchc doctor``: is everything there that a home and its server need, is it as it must be, and what to do if not.

Belongs here: one check a question, each with what it saw and what to do. Does not belong here: mending anything, and
what is told by itself day by day (``watchman``). Nothing is made or changed, in the home or beside it, save who holds
the home's lock.

A check answers with findings: ``ok``; ``look``, which works today but may be meant otherwise or not last; ``broken``,
which is not as it must be. A check that itself breaks is broken, and keeps no other from its turn.
"""

from __future__ import annotations

import datetime as dt
import grp
import importlib.metadata
import os
import platform
import re
import shutil
import stat
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from common.damage import RESTORE_VI
from common.periods import load_periods
from ingestion import mend_store
from orchestration import spark
from orchestration.automation import automation, recorded_rows
from orchestration.dagster_files import databases, fault_of
from orchestration.locks import HomeBusy, one_run_at_a_time, to_stderr
from orchestration.pipeline import Pipeline
from orchestration.settings import (
    PROJECT_DIR,
    SETTINGS_FILE_ENV,
    TIME_ZONE,
    WRONG_SETTINGS,
    Home,
    Settings,
    load_settings,
    settings_file,
    wrong_settings_vi,
)
from orchestration.timing import now
from orchestration.watchman import used_percent

State = Literal["ok", "look", "broken"]
_STATES: tuple[State, ...] = ("ok", "look", "broken")
_STATES_VI: dict[State, str] = {"ok": "ổn", "look": "cần xem", "broken": "hỏng"}

_DISTRIBUTION = "cchc-warehouse"
_LOCK = "requirements.lock"
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
# Nothing fails for want of them but what is named.
_OPTIONAL_TOOLS = {
    "restic": ("cchc backup và cchc restore", "restic"),
    "setpriv": ("make ui, để tiến trình con dừng theo", "util-linux"),
}
# Addresses of alerts carry passwords inside.
_SECRETS = {"alert_to"} | {n for n, field in Settings.model_fields.items() if SecretStr in get_args(field.annotation)}
_OTHERS = 0o077
_ADVICE_RESTORE = f"{RESTORE_VI[0].upper()}{RESTORE_VI[1:]}."
_MIB = 1 << 20
# With less a run cannot even say in its records that the disk is full.
_LEAST_FREE = 100 * _MIB
# dbt, Great Expectations and Dagster beside DuckDB.
_MEMORY_BESIDES = 1024 * _MIB
_UNITS = {"MB": 10**6, "GB": 10**9, "MiB": _MIB, "GiB": 1024 * _MIB}
# Of one machine the clock and the times of files may differ by a moment.
_CLOCK_GRACE = dt.timedelta(minutes=1)
_SHOWN = 3


@dataclass(frozen=True)
class Finding:
    """What a check saw, and what to do about it: nothing where it is ``ok``."""

    state: State
    seen: str
    to_do: str = ""


@dataclass(frozen=True)
class Examined:
    """A check and what it found; as bad as the worst of it."""

    name: str
    title: str
    findings: list[Finding]

    @property
    def state(self) -> State:
        return max((finding.state for finding in self.findings), key=_STATES.index)

    def lines(self) -> Iterator[str]:
        """For people: a line a finding, below it what to do."""
        for finding in self.findings:
            yield f"[{_STATES_VI[finding.state]}] {self.title}: {finding.seen}"
            if finding.to_do:
                yield f"    việc cần làm: {finding.to_do}"


def examine() -> list[Examined]:
    """Makes every check, those of the home only where the settings that name it can be read."""
    settings, found = _read_settings()
    examined = [Examined("settings", "thiết đặt", found)]
    examined += [_examined(name, title, check) for name, (title, check) in _OF_THE_HOST.items()]
    if settings is not None:
        for name, (title, of_home) in _OF_THE_HOME.items():
            examined.append(_examined(name, title, partial(of_home, settings)))
    return examined


def _examined(name: str, title: str, check: Callable[[], Iterator[Finding]]) -> Examined:
    findings: list[Finding] = []
    try:
        for finding in check():
            findings.append(finding)
    except Exception as error:
        seen = f"không kiểm tra được: {type(error).__name__}: {error}"
        findings.append(Finding("broken", seen, "Sửa điều vừa nêu rồi chạy lại cchc doctor."))
    return Examined(name, title, findings)


def answer(examined: list[Examined]) -> tuple[list[str], dict[str, Any], bool]:
    """Lines, document, and whether nothing is broken."""
    count = Counter(one.state for one in examined)
    lines = [line for one in examined for line in one.lines()]
    lines.append("kết luận: " + ", ".join(f"{count[state]} mục {_STATES_VI[state]}" for state in reversed(_STATES)))
    checks = [{"name": one.name, "title": one.title, "state": one.state,
               "findings": [asdict(finding) for finding in one.findings]} for one in examined]  # fmt: skip
    return lines, {"checks": checks, **{state: count[state] for state in _STATES}}, not count["broken"]


# --- the settings, which all of the home hangs on


def _read_settings() -> tuple[Settings | None, list[Finding]]:
    path, named = settings_file(), SETTINGS_FILE_ENV in os.environ
    try:
        settings = load_settings()
    except WRONG_SETTINGS as error:
        return None, [_unusable(wrong_settings_vi(error))]
    except (OSError, ValueError) as error:
        return None, [_unusable(f"không đọc được {path}: {error}")]
    if named and not path.is_file():
        seen = f"{SETTINGS_FILE_ENV} nêu {path} nhưng không có tệp này: mọi thiết đặt đang là mặc định"
        return settings, [Finding("broken", seen, f"Đặt lại tệp, hoặc bỏ {SETTINGS_FILE_ENV}.")]
    if not path.is_file():
        return settings, [Finding("ok", "không có cchc.toml; dùng mặc định và biến môi trường CCHC_*")]
    secrets = sorted(_SECRETS & tomllib.loads(path.read_text(encoding="utf-8")).keys())
    if secrets and path.stat().st_mode & stat.S_IROTH:
        seen = f"mọi người dùng của máy đọc được {path}, trong đó có {', '.join(secrets)}"
        return settings, [Finding("broken", seen, f"chmod o-rwx {path}")]
    return settings, [Finding("ok", f"đọc được {path}")]


def _unusable(seen: str) -> Finding:
    return Finding("broken", seen, "Sửa thiết đặt rồi chạy lại; các mục về kho số liệu chưa được kiểm tra.")


# --- the host


def versions() -> Iterator[Finding]:
    """Python and the packages that the program needs, against what it asks for and what was locked."""
    from packaging.specifiers import SpecifierSet
    from packaging.utils import canonicalize_name

    python, asked = platform.python_version(), importlib.metadata.metadata(_DISTRIBUTION)["Requires-Python"]
    if not SpecifierSet(asked).contains(python):
        yield Finding("broken", f"Python {python}, cần {asked}", "Cài Python đúng bản rồi cài lại chương trình.")
    again = f"pip install --require-hashes -r {_LOCK}"
    lock = next((p for p in (Path(sys.prefix) / _LOCK, PROJECT_DIR / _LOCK) if p.is_file()), None)
    locked: dict[str, set[str]] = {}
    for name, version in _LOCKED.findall(lock.read_text(encoding="utf-8") if lock else ""):
        locked.setdefault(canonicalize_name(name), set()).add(version)
    needed = _needed(frozenset())
    wrong = [f"thiếu {name}" for name, version in needed.items() if version is None]
    wrong += _unsatisfied()
    if wrong:
        yield Finding("broken", _some(wrong), again)
    installed = {name: version for name, version in _needed(frozenset({"pg"})).items() if version is not None}
    other = [
        f"{name} {version} (khóa {' hoặc '.join(sorted(locked[name]))})"
        for name, version in sorted(installed.items())
        if locked.get(name) and version not in locked[name]
    ]
    if other:
        yield Finding("look", f"khác bản đã khóa trong {lock}: {_some(other)}", again)
    if not wrong and not other:
        against = f"đúng bản khóa trong {lock}" if lock else f"không có {_LOCK} để đối chiếu"
        yield Finding("ok", f"Python {python}; {len(installed)} gói, {against}")


def _requirements(distribution: str, extras: Iterable[str]) -> Iterator[Any]:
    from packaging.requirements import Requirement

    for text in importlib.metadata.requires(distribution) or []:
        requirement = Requirement(text)
        wanted = requirement.marker
        if wanted is None or any(wanted.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield requirement


def _needed(extras: frozenset[str]) -> dict[str, str | None]:
    """Every package that the program needs here, with those that they need, and its version; None where it lacks."""
    from packaging.utils import canonicalize_name

    found: dict[str, str | None] = {}
    asked: set[tuple[str, frozenset[str]]] = {(_DISTRIBUTION, extras)}
    waiting = set(asked)
    while waiting:
        for requirement in _requirements(*waiting.pop()):
            name = canonicalize_name(requirement.name)
            try:
                found[name] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                found[name] = None
                continue
            one = (str(name), frozenset(map(str, requirement.extras)))
            waiting |= {one} - asked
            asked.add(one)
    return found


def _unsatisfied() -> Iterator[str]:
    """Packages that the program itself asks for in another version; those that lack are told as such."""
    for requirement in _requirements(_DISTRIBUTION, ()):
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            yield f"{requirement.name} {version}, cần {requirement.specifier}"


def tools() -> Iterator[Finding]:
    """Programs of Debian's that are called; all of them can be done without."""
    for tool, (purpose, package) in _OPTIONAL_TOOLS.items():
        if path := shutil.which(tool):
            yield Finding("ok", f"{path} (không bắt buộc; cho {purpose})")
        else:
            seen = f"không có {tool} (không bắt buộc; cho {purpose})"
            yield Finding("look", seen, f"apt-get install {package}, nếu cần")


def time_zone() -> Iterator[Finding]:
    """Whether hours of Viet Nam are known."""
    try:
        zone = ZoneInfo.no_cache(TIME_ZONE)
    except (KeyError, OSError, ValueError) as error:
        advice = "apt-get install tzdata, hoặc cài lại gói tzdata của Python."
        yield Finding("broken", f"không đọc được múi giờ {TIME_ZONE}: {error}", advice)
        return
    ahead = dt.datetime(2023, 1, 1, tzinfo=zone).utcoffset()
    if ahead != dt.timedelta(hours=7):
        yield Finding("broken", f"múi giờ {TIME_ZONE} lệch {ahead} so với UTC, phải là 7 giờ", "Cài lại gói tzdata.")
    else:
        yield Finding("ok", f"{TIME_ZONE}, UTC+7")


def fonts() -> Iterator[Finding]:
    """Whether the faces that the PDF is set in can be read."""
    from publication import missing_faces

    if missing := missing_faces():
        yield Finding("broken", f"thiếu hoặc hỏng phông chữ của báo cáo PDF: {', '.join(missing)}",
                      "Cài lại chương trình: phông chữ đi kèm trong gói cài đặt.")  # fmt: skip
    else:
        yield Finding("ok", "đủ phông chữ của báo cáo PDF")


# --- the home


def home_folder(settings: Settings) -> Iterator[Finding]:
    """Where the home is, and whether it is a folder."""
    root = settings.home
    if root.is_dir():
        yield Finding("ok", str(root))
    elif root.exists():
        yield Finding("broken", f"{root} không phải thư mục", "Đặt home (CCHC_HOME) là một thư mục.")
    else:
        advice = "Nếu kho số liệu ở nơi khác, đặt lại home (CCHC_HOME)."
        yield Finding("look", f"chưa có {root}; lượt chạy đầu tiên sẽ tạo", advice)


def units_served(settings: Settings) -> Iterator[Finding]:
    """Whether the units that this home works for are units, and whether what lies here is theirs."""
    served, pipeline = settings.units, Pipeline(settings)
    if not served:
        yield Finding("ok", "mọi đơn vị nộp tệp về đây")
        return
    if unknown := sorted(set(served) - pipeline.units.reference.unit_codes):
        seen = f"cài đặt units có mã không có trong danh mục: {_some(unknown)}"
        yield Finding("broken", seen, "Sửa units trong cchc.toml; không báo cáo nào được lập cho mã sai.")
    others = {
        code for quarter in pipeline.deliveries.quarters() for code in pipeline.deliveries.of_other_homes(quarter)
    }
    if others:
        seen = f"có tệp của đơn vị do nơi khác báo cáo: {_some(sorted(others))}"
        yield Finding("look", seen, "Nộp các tệp đó vào nơi báo cáo của đơn vị, hoặc thêm đơn vị báo cáo vào units.")
    if not unknown and not others:
        yield Finding("ok", f"chỉ các đơn vị {_some(sorted(served))}")


def permissions(settings: Settings) -> Iterator[Finding]:
    """Owner and mode of the home's folders, and of all that lies in those that the program alone writes to."""
    home = settings.paths
    own = (*home.private, home.published, home.dagster, home.logs)
    there = [folder for folder in (home.landing, *own) if folder.is_dir()]
    if there and (owner := home.root.stat().st_uid) != os.geteuid():
        seen = f"{home.root} thuộc uid {owner}, lệnh này chạy bằng uid {os.geteuid()}: tệp ghi ra sẽ lẫn chủ"
        yield Finding("broken", seen, "Chạy bằng tài khoản của kho số liệu (trên máy chủ: sudo cchc …).")
        return
    found = list(_missing_folders(home, own, there))
    if home.landing in there and not os.access(home.landing, os.R_OK | os.X_OK):
        found.append(Finding("broken", f"không đọc được {home.landing}", f"Cấp quyền đọc: chmod g+rx {home.landing}"))
    for folder in own:
        if folder in there:
            found += _own_folder(folder, home.mode_of(folder) if folder in home.private else None)
    found += _unread_outboxes(settings)
    yield from found or [Finding("ok", f"{len(there)} thư mục đúng chủ và quyền" if there else "chưa có thư mục nào")]


def _missing_folders(home: Home, own: Iterable[Path], there: list[Path]) -> Iterator[Finding]:
    missing = [folder.name for folder in (home.landing, *own) if folder not in there]
    if there and missing:
        seen = f"{home.root} không có {', '.join(missing)}; lượt chạy sau sẽ tạo thư mục trống"
        yield Finding("look", seen, f"Nếu trước đây đã có: {_ADVICE_RESTORE}")


def _own_folder(folder: Path, private_mode: int | None) -> Iterator[Finding]:
    me = os.geteuid()
    foreign = [path for path in _everything(folder) if path.lstat().st_uid != me]
    if foreign:
        seen = f"{folder}: không thuộc chủ của kho số liệu (uid {me}): {_some(map(str, foreign))}"
        yield Finding("broken", seen, f"chown -R {me} {folder} (bằng root)")
        return
    mode = folder.stat().st_mode
    if mode & stat.S_IRWXU != stat.S_IRWXU:
        yield Finding("broken", f"{folder}: chủ không đủ quyền đọc và ghi", f"chmod u+rwx {folder}")
    elif not os.access(folder, os.W_OK):
        yield Finding("broken", f"{folder}: không ghi được", "Gắn lại ổ đĩa ở chế độ ghi (mount -o remount,rw).")
    if private_mode is not None and mode & _OTHERS & ~private_mode:
        seen = f"{folder}: tài khoản khác vào được, trong đó có hồ sơ cá nhân"
        yield Finding("broken", seen, f"chmod {private_mode:o} {folder}")


def _unread_outboxes(settings: Settings) -> Iterator[Finding]:
    """Units whose folder in the outbox does not belong to the group that the settings give it to."""
    access = settings.outbox_access
    folders = sorted(path for path in settings.paths.outbox.glob("*") if path.is_dir()) if access.group else []
    names = {group.gr_gid: group.gr_name for group in grp.getgrall()} if folders else {}
    closed = [folder.name for folder in folders if names.get(folder.stat().st_gid) != access.group_of(folder.name)]
    if closed:
        seen = f"hộp trả của {_some(closed)} chưa thuộc nhóm {access.group}: đơn vị chưa đọc được"
        advice = "Tạo nhóm, thêm tài khoản của kho số liệu vào nhóm (usermod -aG NHÓM TÀI_KHOẢN), rồi chạy lại kỳ."
        yield Finding("look", seen, advice)


def _everything(folder: Path) -> Iterator[Path]:
    yield folder
    for parent, folders, names in os.walk(folder):
        yield from (Path(parent, name) for name in (*folders, *names))


def person_key(settings: Settings) -> Iterator[Finding]:
    """The key that persons are hashed with: the one deliveries were taken in with, and nobody else's."""
    path = settings.paths.person_key
    if fault := settings.person_key_fault():
        yield Finding("broken", fault, "Đặt lại đúng khóa đã cất giữ. " + _ADVICE_RESTORE)
    elif settings.person_key is not None:
        yield Finding("ok", "đặt trong thiết đặt person_key")
    elif not path.exists():
        yield Finding("ok", "chưa có; lượt chạy đầu tiên sẽ tạo")
    elif path.stat().st_uid != (owner := path.parent.stat().st_uid) or path.stat().st_mode & _OTHERS:
        seen = f"{path} thuộc tài khoản khác, hoặc tài khoản khác đọc được"
        yield Finding("broken", seen, f"chown {owner} {path}; chmod 600 {path}")
    else:
        yield Finding("ok", f"{path}, chỉ chủ đọc được; giữ một bản ở nơi khác")


def _receipts(settings: Settings) -> Iterator[Path]:
    return Pipeline(settings).deliveries.paths.ledger.glob("*.json")


def disk(settings: Settings) -> Iterator[Finding]:
    """Space on every disk that the home lies on."""
    home, disks = settings.paths, dict[int, Path]()
    nearest = next(path for path in (home.root, *home.root.parents) if path.is_dir())
    for folder in (nearest, home.landing, home.raw, home.warehouse, home.published, home.dagster):
        if folder.is_dir():
            disks.setdefault(folder.stat().st_dev, folder)
    for folder in disks.values():
        free, used = shutil.disk_usage(folder).free, used_percent(folder)
        seen = f"ổ đĩa của {folder}: còn {_gb(free)}, đã dùng {used:.0f} %"
        files = os.statvfs(folder)
        if free < _LEAST_FREE or (files.f_files and not files.f_favail):
            yield Finding("broken", seen, "Dọn bớt hoặc thêm dung lượng (cả số tệp: df -i), rồi chạy lại.")
        elif used >= settings.disk_full_percent:
            yield Finding("look", seen, "Dọn bớt hoặc thêm dung lượng trước khi đầy; cchc purge xóa bản quá hạn lưu.")
        else:
            yield Finding("ok", seen)


def memory(settings: Settings) -> Iterator[Finding]:
    """Memory of the machine, or of the container, against what DuckDB may take and what runs beside it."""
    import psutil

    match = re.fullmatch(r"([\d.]+)(\w+)", settings.duckdb_memory)
    assert match  # the setting's own pattern
    asked, has = float(match[1]) * _UNITS[match[2]], min(psutil.virtual_memory().total, _container_memory())
    seen = f"máy có {_gb(has)}, duckdb_memory là {settings.duckdb_memory}"
    if asked > has:
        yield Finding("broken", seen, f"Đặt duckdb_memory nhỏ hơn {_gb(max(has - _MEMORY_BESIDES, has / 2))}.")
    elif asked + _MEMORY_BESIDES > has:
        seen += f"; phần khác của lượt chạy cần thêm chừng {_gb(_MEMORY_BESIDES)}"
        yield Finding("look", seen, f"Giảm duckdb_memory còn {_gb(has / 2)}, hoặc thêm bộ nhớ.")
    else:
        yield Finding("ok", seen)


def engine(settings: Settings) -> Iterator[Finding]:
    """What computes the marts, and where that is Spark, whether it can: packages, Java, a cluster that answers."""
    if not spark.is_engine(settings):
        yield Finding("ok", "DuckDB, trên máy này")
        return
    found = [Finding("broken", seen, f"{to_do[0].upper()}{to_do[1:]}.") for seen, to_do in spark.faults(settings)]
    program = spark.java()
    if program is not None and (version := spark.java_version(program) or 0) < spark.JAVA:
        seen = f"{program} là Java {version}, Spark cần {spark.JAVA} trở lên"
        found.append(Finding("broken", seen, "Cài openjdk-17-jre-headless, hoặc đặt JAVA_HOME."))
    yield from found or [Finding("ok", f"Apache Spark, {settings.spark_master}")]


def _container_memory() -> float:
    try:
        return float(Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError):  # no such limit, or the word "max"
        return float("inf")


def clock(settings: Settings) -> Iterator[Finding]:
    """The present against what the home has seen, and against the table of periods."""
    at, periods = now(), load_periods()
    times = {path.stat().st_mtime: path for path in _written(settings.paths)}
    newest = dt.datetime.fromtimestamp(max(times, default=0), at.tzinfo)
    first, last = periods[0].opens_on, periods[-1].closes_on
    set_it = "Chỉnh đồng hồ máy (timedatectl set-ntp true)."
    if newest > at + _CLOCK_GRACE:
        seen = f"đồng hồ chỉ {at:%d/%m/%Y %H:%M}, trước khi ghi {times[max(times)]} ({newest:%d/%m/%Y %H:%M})"
        yield Finding("broken", seen, set_it)
    elif not first <= at.date() <= last:
        seen = f"đồng hồ chỉ {at:%d/%m/%Y}, ngoài bảng kỳ báo cáo ({first:%d/%m/%Y} đến {last:%d/%m/%Y})"
        yield Finding("look", seen, f"{set_it} Nếu đồng hồ đúng: thêm dòng vào reporting_periods.csv.")
    else:
        yield Finding("ok", f"{at:%d/%m/%Y %H:%M}, giờ Việt Nam")


def _written(home: Home) -> Iterator[Path]:
    """Files that the program writes as of now; times in the landing folder are their senders' affair."""
    patterns = ("raw/ledger/*", "published/*/*/current.json", "logs/*", "warehouse/*", "dagster/*/*.db")
    return (path for pattern in patterns for path in home.root.glob(pattern) if path.is_file())


def by_itself(settings: Settings) -> Iterator[Finding]:
    """Whether automation is on, whether it has more to do, and how its last runs ended."""
    found = automation(settings)
    head, *more = (line.strip().rstrip(".") for line in found.lines())
    seen = "; ".join([head.removeprefix("tự chạy: "), *more])
    if not found.on:
        advice = "Bật máy chủ (make ui, hoặc systemctl start cchc-daemon), hoặc chạy tay: cchc run KỲ"
        yield Finding("look", seen, advice)
    elif off := [part.name for part in found.parts if not part.on]:
        yield Finding("look", seen, f"Bật lại trên trang Dagster: {', '.join(off)}")
    elif broken := [part.name for part in found.parts if part.why_broken]:
        yield Finding("look", seen, f"Xem lỗi ở mục Automation trên trang Dagster: {', '.join(broken)}")
    elif found.next_quarter is None:
        yield Finding("look", seen, "Thêm kỳ vào reporting_periods.csv.")
    else:
        yield Finding("ok", seen)
    for run in found.runs:
        if run.status in ("FAILURE", "GONE"):
            what = f"lượt chạy cuối của máy chủ ({run.job} {run.quarter or ''}".strip() + ") hỏng"
            yield Finding("look", what, f"Xem lượt {run.run_id[:8]} trên trang Dagster và {settings.alerts_path()}")


def run_records(settings: Settings) -> Iterator[Finding]:
    """Dagster's databases: each whole, and set up once."""
    if settings.dagster_postgres_url is not None:
        try:
            recorded_rows(settings, "runs", "select count(*) from runs")
            yield Finding("ok", "ở PostgreSQL (dagster_postgres_url)")
        except ConnectionError as error:
            yield Finding("broken", str(error), "Xem máy chủ PostgreSQL và địa chỉ trong dagster_postgres_url")
        return
    home = settings.paths
    found = sorted(home.dagster.rglob("*.db"))
    # A server that writes at this very moment may make a whole database look damaged once.
    damaged = [f"{path}: {fault}" for path in found if fault_of(path) and (fault := fault_of(path))]
    lacking = [str(path) for path in databases(home).values() if path not in found]
    advice = (
        "Dừng máy chủ rồi chạy cchc prepare: hệ thống để riêng tệp hỏng và mở sổ mới; mất lịch sử các lượt chạy, "
        "không mất số liệu. Hoặc khôi phục từ bản sao lưu."
    )
    if found and lacking:
        damaged.append(f"thiếu {', '.join(lacking)}")
    if damaged:
        yield Finding("broken", f"hư hại: {_some(damaged)}", advice)
    else:
        yield Finding("ok", f"{len(found)} tệp SQLite nguyên vẹn" if found else "chưa có; lượt chạy đầu tiên sẽ tạo")


def postgresql(settings: Settings) -> Iterator[Finding]:
    """Whether the server answers that releases are copied to, where one is set."""
    from publication import PostgresCopy, PostgresError, PostgresTarget

    if settings.postgres_url is None:
        yield Finding("ok", "không dùng (postgres_url không đặt)")
        return
    try:
        with PostgresCopy(PostgresTarget(settings.postgres_url.get_secret_value(), settings.postgres_reader)):
            yield Finding("ok", "kết nối được")
    except PostgresError as error:
        advice = "Sửa postgres_url hoặc máy chủ, rồi chạy cchc postgres. Bản công bố không phụ thuộc vào bản sao này."
        yield Finding("broken", str(error), advice)


def lake(settings: Settings) -> Iterator[Finding]:
    """The raw layer, as the next run will look at it before it reads; not while a run changes it."""
    if not settings.paths.raw.is_dir():
        yield Finding("ok", "chưa nhận tệp nào")
        return
    lock, pipeline = settings.paths.lock, Pipeline(settings)
    try:
        # Where there is no file to lock, nobody has ever worked.
        with one_run_at_a_time(lock, "cchc doctor", to_stderr, wait=False) if lock.exists() else nullcontext():
            seen = mend_store(
                pipeline.deliveries.paths,
                pipeline.units.reference,
                settings.person_secret,
                settings.intake,
                settings.signers(),
                dry_run=True,
            )
    except HomeBusy as error:
        yield Finding("look", f"chưa đối chiếu: {error}", "Chạy lại cchc doctor khi lượt chạy đó kết thúc.")
        return
    if damaged := [*seen.lost, *seen.named, *(f"{problem.path}: {problem.message_vi}" for problem in seen.problems)]:
        yield Finding("broken", _some(damaged), "Làm theo lời vừa nêu. " + _ADVICE_RESTORE)
    if again := [mended.line_vi(done=False) for mended in seen.mended]:
        yield Finding("look", _some(again), "Lượt chạy tới tự làm; làm ngay bằng: cchc rebuild")
    if not damaged and not again:
        yield Finding("ok", f"khớp {sum(1 for _ in _receipts(settings))} biên nhận")


def releases(settings: Settings) -> Iterator[Finding]:
    """Every release ever published against its manifest."""
    from publication import all_releases, verify

    folders, damaged = all_releases(settings.paths.published), False
    for folder in folders:
        if found := [damage.message_vi for damage in verify(folder)]:
            damaged = True
            yield Finding("broken", f"{folder}: {_some(found)}", f"Xem: cchc verify {folder}. {_ADVICE_RESTORE}")
    if not damaged:
        yield Finding("ok", f"{len(folders)} bản nguyên vẹn" if folders else "chưa có bản công bố nào")


def _some(things: Iterable[str]) -> str:
    listed = list(things)
    more = f" và {len(listed) - _SHOWN} nữa" if len(listed) > _SHOWN else ""
    return "; ".join(listed[:_SHOWN]) + more


def _gb(size: float) -> str:
    return f"{size / 10**9:.1f} GB".replace(".", ",")


_OF_THE_HOST: dict[str, tuple[str, Callable[[], Iterator[Finding]]]] = {
    "versions": ("phiên bản", versions),
    "tools": ("công cụ của hệ điều hành", tools),
    "time_zone": ("múi giờ", time_zone),
    "fonts": ("phông chữ", fonts),
}
_OF_THE_HOME: dict[str, tuple[str, Callable[[Settings], Iterator[Finding]]]] = {
    "home": ("thư mục làm việc", home_folder),
    "units": ("đơn vị báo cáo", units_served),
    "permissions": ("quyền và chủ thư mục", permissions),
    "person_key": ("khóa băm danh tính", person_key),
    "disk": ("dung lượng", disk),
    "memory": ("bộ nhớ", memory),
    "engine": ("bộ máy tính số liệu", engine),
    "clock": ("đồng hồ", clock),
    "automation": ("tự chạy", by_itself),
    "run_records": ("sổ các lượt chạy (Dagster)", run_records),
    "postgresql": ("bản sao PostgreSQL", postgresql),
    "lake": ("kho dữ liệu thô", lake),
    "releases": ("bản công bố", releases),
}
