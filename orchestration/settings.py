"""Settings, and the paths of a home that follow from them.

Belongs here: what may be set, where it is read from (environment before ``cchc.toml``), and where things rest.
Does not belong here: anything that opens those files, save the key that persons are hashed with.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import tempfile
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from common.files import PRIVATE, replace_durably, sha256_bytes
from common.forms import use_forms_of
from common.units import registered
from ingestion import DamagedError, IngestPaths, IntakeLimits, OutboxAccess, PublicKey, Signers
from orchestration.addresses import AlertAddress, AlertLinks
from orchestration.letters import UnitLetters, printed_setting

if TYPE_CHECKING:
    from publication import Signing

PROJECT_DIR = Path(__file__).resolve().parent.parent
DBT_DIR = PROJECT_DIR / "dbt_project"
TIME_ZONE = "Asia/Ho_Chi_Minh"
SETTINGS_FILE_ENV = "CCHC_SETTINGS"
#: What computes the marts.
Engine = Literal["duckdb", "spark"]


@dataclass(frozen=True)
class Home:
    """Paths under ``CCHC_HOME``, and whose they are; see ``docs/architecture.md``."""

    root: Path
    outbox_access: OutboxAccess = field(default_factory=OutboxAccess)
    #: The reporting units that this home works for; all where empty.
    units: frozenset[str] = frozenset()

    def serves(self, unit: str) -> bool:
        """Whether a reporting unit is this home's to report: others may have a home of their own."""
        return not self.units or unit in self.units

    @property
    def ingest_paths(self) -> IngestPaths:
        return IngestPaths(self.landing, self.raw, self.outbox, self.outbox_access)

    @property
    def landing(self) -> Path:
        return self.root / "landing"

    @property
    def raw(self) -> Path:
        return self.root / "raw"

    @property
    def warehouse(self) -> Path:
        return self.root / "warehouse"

    @property
    def published(self) -> Path:
        return self.root / "published"

    @property
    def outbox(self) -> Path:
        """What goes back to each unit: receipts, rejected rows, what is missing."""
        return self.root / "outbox"

    @property
    def review(self) -> Path:
        """What officials look through before anything is published: drafts, and what is to be decided (``review``)."""
        return self.root / "review"

    def draft_of(self, unit: str, quarter: str) -> Path:
        return self.review / unit / quarter / "du-thao"

    @property
    def dagster(self) -> Path:
        return self.root / "dagster"

    @property
    def alive(self) -> Path:
        """One locked file for each run at work."""
        return self.dagster / "alive"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def warehouse_file(self) -> Path:
        return self.warehouse / "warehouse.duckdb"

    @property
    def spark_tables(self) -> Path:
        """Spark's private tables; a cache, as the warehouse file is DuckDB's."""
        return self.warehouse / "spark"

    @property
    def lock(self) -> Path:
        return self.root / ".lock"

    @property
    def form_rows(self) -> Path:
        return self.warehouse / "form_rows.csv"

    @property
    def form_earlier_rows(self) -> Path:
        return self.warehouse / "form_earlier_rows.csv"

    @property
    def unit_pasts(self) -> Path:
        return self.warehouse / "unit_pasts.csv"

    @property
    def forms(self) -> Path:
        """The forms that the office brought; see ``common.forms``."""
        return self.root / "forms"

    @property
    def source_columns(self) -> Path:
        return self.warehouse / "source_columns.csv"

    @property
    def run_scope(self) -> Path:
        return self.warehouse / "run_scope.csv"

    @property
    def built_marts(self) -> Path:
        return self.warehouse / "build" / "marts"

    @property
    def build_record(self) -> Path:
        return self.warehouse / "build" / "build.json"

    @property
    def dbt_target(self) -> Path:
        """dbt's own files for this home: partial parsing is only valid for one set of paths."""
        return self.warehouse / "dbt"

    @property
    def runs(self) -> Path:
        """What whole runs leave for the next: see ``arrivals``."""
        return self.warehouse / "runs"

    def standing(self, quarter: str) -> Path:
        """What the last whole run of a quarter was made from and left: see ``standing``."""
        return self.runs / f"{quarter}.standing.json"

    @property
    def timings(self) -> Path:
        return self.warehouse / "timings.json"

    @property
    def alerts(self) -> Path:
        return self.logs / "alerts.log"

    @property
    def told(self) -> Path:
        """Which alerts were told, and to whom they are still owed: see ``alerts``."""
        return self.logs / "alerts.json"

    @property
    def untold(self) -> Path:
        """Releases that nobody has been told of yet: see ``untold``."""
        return self.logs / "untold"

    @property
    def journal(self) -> Path:
        """Who did what; see ``journal``. Not named as a log: those are rotated."""
        return self.logs / "journal.jsonl"

    @property
    def run_log(self) -> Path:
        return self.logs / "dagster.log"

    @property
    def run_records(self) -> Path:
        """One file a run: see ``history``."""
        return self.logs / "runs"

    @property
    def run_verdicts(self) -> Path:
        return self.run_records / "verdicts"

    @property
    def history(self) -> Path:
        """What is shown of the records of runs, to operators: see ``history_views``."""
        return self.root / "history"

    @property
    def last_look(self) -> Path:
        """What the last daily look found, counted."""
        return self.logs / "look.json"

    @property
    def person_key(self) -> Path:
        return self.root / "person_key"

    @property
    def private(self) -> tuple[Path, ...]:
        """Folders that hold case records, closed to other users."""
        return (self.raw, self.warehouse, self.outbox, self.review)

    @property
    def person_key_mark(self) -> Path:
        """Hash of the key that deliveries were taken in with, by which a lost or changed key is noticed."""
        return self.raw / "person_key.sha256"

    @property
    def ledger(self) -> Path:
        return self.raw / "ledger"

    def create(self) -> None:
        """Makes the folders that a run expects; closed to other users, for the lake holds case records."""
        _bring_over(self.root / "rejected", self.outbox)
        shared = (self.landing, self.published, self.dagster, self.logs)
        for folder in (*shared, *self.private):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in self.private:
            folder.chmod(self.mode_of(folder))

    def mode_of(self, private: Path) -> int:
        """Mode of a private folder: closed, but that units may pass through the outbox where they read their own."""
        return self.outbox_access.root_mode if private == self.outbox else 0o700


def _bring_over(old: Path, new: Path) -> None:
    """What earlier versions kept for clerks in ``rejected/`` goes to the outbox, once; what lies there holds.

    The copies of a home hold the folder too: one that is given back is brought over in the same way.
    """
    if old.is_symlink() or not old.is_dir():
        return
    for path in sorted(path for path in old.rglob("*") if path.is_file() and not path.is_symlink()):
        target = new / path.relative_to(old)
        with contextlib.suppress(FileNotFoundError):  # another process brings it over at this moment
            if target.exists():
                path.unlink()
            else:
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.rename(target)
    for folder in sorted((path for path in old.rglob("*") if path.is_dir()), reverse=True):
        with contextlib.suppress(OSError):
            folder.rmdir()
    with contextlib.suppress(OSError):  # a link somebody put there, or a disk of its own, stays
        old.rmdir()


class LostPersonKey(DamagedError):
    """The key that persons are known by is gone or another one; the message says what to do, in Vietnamese."""

    def __init__(self, fault_vi: str) -> None:
        super().__init__(
            f"{fault_vi}. Dừng lại, không tạo khóa mới: khóa khác thì mọi người trong số liệu thành người khác. Lấy "
            "lại tệp person_key từ bản sao lưu (CCHC_HOME=THƯ_MỤC_MỚI cchc restore KHO_SAO_LƯU) hoặc nơi cất giữ, đặt "
            "về chỗ cũ (hoặc đặt CCHC_PERSON_KEY), rồi chạy lại. Nếu cố ý đổi khóa: xóa tệp person_key.sha256 trong "
            "thư mục raw, đặt khóa mới rồi chạy lại."
        )


class Settings(BaseSettings):
    """Settings of one installation. ``CCHC_<NAME>`` in the environment comes before ``cchc.toml``."""

    # What is refused may be a password.
    model_config = SettingsConfigDict(env_prefix="CCHC_", extra="forbid", frozen=True, hide_input_in_errors=True)

    home: Path = Field(default=Path("data"), description="Folder of deliveries, lake, warehouse and releases.")
    engine: Engine = Field(
        default="duckdb", description="What computes the marts: DuckDB on this machine, or Apache Spark."
    )
    spark_master: str = Field(
        default="local[*]",
        pattern=r"^(local(\[(\*|[1-9]\d*)\])?|spark://[A-Za-z0-9._-]+:\d+(,[A-Za-z0-9._-]+:\d+)*)$",
        description="Where Spark works: cores of this machine, or the master of a standalone cluster.",
    )
    duckdb_threads: int = Field(default=2, ge=1, le=64, description="Threads DuckDB may use.")
    duckdb_memory: str = Field(default="2GB", pattern=r"^\d+(\.\d+)?(MB|GB|MiB|GiB)$", description="DuckDB's limit.")
    warehouse_wait_seconds: int = Field(
        default=60, ge=0, le=86_400, description="How long a run waits for a program that has the warehouse open."
    )
    automation: bool = Field(
        default=True, description="Whether the server runs a period by itself: when it closes, when deliveries change."
    )
    approval: Literal["none", "recorded"] = Field(
        default="none",
        description="Whether a run publishes what passed the gates, or stops at the draft that somebody approves.",
    )
    drafts: bool = Field(
        default=False, description="Whether runs make a draft of what is held back too; with approval they always do."
    )
    max_runtime_seconds: int = Field(default=7200, ge=60, description="A run of the server ends as failed after this.")
    alert_file: Path | None = Field(default=None, description="Where alerts are told; default logs/alerts.log.")
    alert_to: tuple[AlertAddress, ...] = Field(default=(), description="Who is sent which alerts, by Apprise.")
    alert_links: AlertLinks = Field(default=AlertLinks(), description="Base addresses of the links in alerts.")
    remind_days: int = Field(
        default=5, ge=0, le=60, description="Days before a period closes from which missing deliveries are told."
    )
    disk_full_percent: int = Field(default=90, ge=1, le=100, description="Used space of the home's disk that is told.")
    keep_runs: int = Field(
        default=200,
        ge=1,
        description="Runs of which record, verdicts and Dagster's events are kept; the last success of a quarter too.",
    )
    keep_candidates: int = Field(
        default=3, ge=1, description="Candidates kept of a unit and quarter, with their verdicts, beside those in use."
    )
    metrics_folder: Path | None = Field(
        default=None, description="Where figures for Prometheus are written (cchc.prom); default <home>/metrics."
    )
    retention_days: int = Field(
        default=730,
        ge=1,
        le=36_500,
        description="Days after closing (or intake, if later) that originals are kept; cchc purge.",
    )
    outbox_mode: Literal["0700", "0750"] = Field(
        default="0700", description="Mode of each unit's folder in the outbox: the program's alone, or the group's too."
    )
    outbox_group: str = Field(
        default="",
        pattern=r"^([A-Za-z_0-9.-]|\{unit\})*$",
        description="Group of each unit's folder in the outbox; {unit} stands for its code. None: the program's.",
    )
    office_logins: dict[str, tuple[str, ...]] = Field(
        default={},
        description="Whose files a login of the proxy may see and deliver on the office's page: codes of units, * all.",
    )
    intake: IntakeLimits = Field(default=IntakeLimits(), description="What one delivered file may cost.")
    decision_signatures: bool = Field(
        default=False, description="Whether a register of decisions counts only with a signature (minisign) beside it."
    )
    decision_keys: dict[str, tuple[str, ...]] = Field(
        default={}, description="Public keys that may sign decisions, by code of the reporting unit."
    )
    signature_roots: tuple[Path, ...] = Field(
        default=(), description="Files of certificates (PEM) whose holders are believed to say who signed a PDF."
    )
    proxy_login: bool = Field(
        default=False,
        description="Whether a proxy with a login stands before the web server: it may listen anywhere, and the "
        "office's page refuses whom the proxy does not name.",
    )
    units: tuple[str, ...] = Field(
        default=(), description="Reporting units that this home works for, where others have homes of their own."
    )
    provinces: tuple[str, ...] = Field(
        default=(), description="Provinces whose units' releases each run rolls up, as codes of the register of units."
    )
    postgres_url: SecretStr | None = Field(
        default=None, description="PostgreSQL database into which current releases are copied; none: no copy."
    )
    postgres_reader: str = Field(
        default="cchc_reader", pattern=r"^[a-z_][a-z0-9_]{0,62}$", description="Role that may read that copy."
    )
    dagster_postgres_url: SecretStr | None = Field(
        default=None, description="PostgreSQL database in which Dagster keeps its runs; none: SQLite files in the home."
    )
    backup_key: SecretStr | None = Field(
        default=None, description="Key that copies of the home are encrypted with; none: whoever has them reads them."
    )
    contact: str = Field(default="", max_length=300, description="Whom readers of a release may ask; told on its page.")
    licence: str = Field(default="", max_length=200, description="Name of the licence that releases are used under.")
    licence_url: str = Field(default="", pattern=r"^(https://\S+)?$", description="Where that licence stands.")
    least_count: int = Field(
        default=5,
        ge=1,
        le=100,
        description="Least count of cases by procedure or unit and outcome that is published; 1 holds back none.",
    )
    person_key: SecretStr | None = Field(default=None, description="Key of the hash that stands for a person.")
    letters: dict[str, UnitLetters] = Field(
        default_factory=dict,
        description="Number, day and signer of letters, by unit code; blank where not set.",
    )

    @field_validator("intake", mode="before")
    @classmethod
    def _known_limits(cls, value: Any) -> Any:
        """A limit misspelt would else be a limit not set."""
        if isinstance(value, dict) and (unknown := sorted(value.keys() - {f.name for f in fields(IntakeLimits)})):
            raise ValueError(f"unknown limits: {', '.join(unknown)}")
        return value

    @field_validator("contact", "licence")
    @classmethod
    def _may_be_published(cls, value: str) -> str:
        """Both stand on every page. An office is asked by its telephone and address."""
        return printed_setting(value, allowed=("phone", "mail_address"))

    @field_validator("decision_keys")
    @classmethod
    def _known_keys(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        """A key misspelt would else refuse what is signed rightly, and say that the signature is not."""
        for unit, keys in value.items():
            for key in keys:
                try:
                    PublicKey.parse(key)
                except ValueError as error:
                    raise ValueError(f"not a public key of minisign, of unit {unit}") from error
        return value

    @field_validator("provinces")
    @classmethod
    def _known_provinces(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """A code misspelt would else be a province that no run rolls up. One that ended is rolled up to its end."""
        known = {unit.code for unit in registered().units if unit.level == "province"} if value else set()
        if unknown := sorted(set(value) - known):
            raise ValueError(f"danh mục không có tỉnh, thành phố nào mang mã {', '.join(unknown)}")
        return tuple(dict.fromkeys(value))

    @field_validator("dagster_postgres_url")
    @classmethod
    def _by_its_driver(cls, value: SecretStr | None) -> SecretStr | None:
        """Dagster writes its NOTIFY for psycopg2 (psycopg refuses its parameter), which SQLAlchemy takes by name only.

        Services hand the address on as it stands, so nothing could mend it for them.
        """
        if value is not None and not value.get_secret_value().startswith("postgresql+psycopg2://"):
            raise ValueError("an address that begins with postgresql+psycopg2:// is needed")
        return value

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        path = value.expanduser().resolve()
        if "?" in str(path):  # DuckDB takes it for the end of a database's path, whatever link leads there
            raise ValueError("the path of a home cannot hold a question mark (đường dẫn không được có dấu “?”)")
        return path

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=settings_file())

    @property
    def paths(self) -> Home:
        return Home(self.home, self.outbox_access, frozenset(self.units))

    @property
    def outbox_access(self) -> OutboxAccess:
        return OutboxAccess(int(self.outbox_mode, 8), self.outbox_group)

    @property
    def plain_paths(self) -> Home:
        """The same home, for tools that paste paths into what they write."""
        return Home(plain_path(self.home), self.outbox_access, frozenset(self.units))

    def signing(self, unit: str, quarter: str) -> Signing:
        """What the office set of its letter."""
        return self.letters.get(unit, UnitLetters()).signing(quarter)

    def signers(self) -> Signers | None:
        """Whose signatures decisions must carry; None where they need none."""
        return Signers(self.decision_keys) if self.decision_signatures else None

    def alerts_path(self) -> Path:
        return self.alert_file or self.paths.alerts

    def metrics_path(self) -> Path:
        return (self.metrics_folder or self.home / "metrics") / "cchc.prom"

    def dbt_environment(self) -> dict[str, str]:
        """What dbt's profile and models read from the environment; paths are of the home, in which dbt works.

        They are the same in every home: what dbt parsed holds where a home was moved, and no character of its path
        means anything to Jinja or SQL. Spark alone is given whole paths: its workers have working folders of their own.
        """
        inside = self.paths if self.engine == "spark" else Home(Path())
        return {
            "CCHC_RAW": str(inside.raw),
            "CCHC_WAREHOUSE": str(inside.warehouse),
            "CCHC_DUCKDB_THREADS": str(self.duckdb_threads),
            "CCHC_DUCKDB_MEMORY": self.duckdb_memory,
            **(self._spark_environment() if self.engine == "spark" else {}),
        }

    def _spark_environment(self) -> dict[str, str]:
        """Where Spark works. On this machine alone it listens on this machine alone."""
        given = {"CCHC_SPARK_MASTER": self.spark_master}
        return {**given, "SPARK_LOCAL_IP": LOOPBACK} if _ON_THIS_MACHINE.match(self.spark_master) else given

    def person_secret(self) -> bytes:
        """The key persons are hashed with; made once in the home, readable by its owner only, where none is set.

        Raises :class:`LostPersonKey` where deliveries were taken in with another one: with a new key, every person
        would be somebody else.
        """
        if fault := self.person_key_fault():
            raise LostPersonKey(fault)
        key = self._known_key() or _new_key(self.paths.person_key)
        if not self.paths.person_key_mark.exists():
            replace_durably(self.paths.person_key_mark, _mark_of(key), mode=PRIVATE)
        return key

    def person_key_fault(self) -> str | None:
        """Why the key is not the one that deliveries were taken in with; None where it is, or none was taken in yet."""
        path, mark = self.paths.person_key, self.paths.person_key_mark
        key = self._known_key()
        if key is None:
            taken_in = mark.exists() or any(self.paths.ledger.glob("[!.]*.json"))
            return f"khóa {path} bị mất hoặc bị hỏng, trong khi đã nhận tệp bằng khóa đó" if taken_in else None
        if not mark.exists() or (mark.is_file() and mark.read_bytes() == _mark_of(key)):
            return None
        where = "thiết đặt person_key" if self.person_key is not None else f"khóa trong {path}"
        return f"{where} không phải khóa đã dùng để nhận các tệp trước (dấu của khóa đó: {mark})"

    def _known_key(self) -> bytes | None:
        if self.person_key is not None:
            return self.person_key.get_secret_value().encode()
        path = self.paths.person_key
        key = path.read_bytes().strip() if path.is_file() else b""
        return key if len(key) >= _SHORTEST_KEY else None


def _mark_of(key: bytes) -> bytes:
    return sha256_bytes(b"person key" + key).encode()


_SHORTEST_KEY = 16
LOOPBACK = "127.0.0.1"
_ON_THIS_MACHINE = re.compile(r"local|spark://(localhost|127\.0\.0\.1):\d+$")


def _new_key(path: Path) -> bytes:
    """Makes the key, whole or not at all; of two processes that do so at once, both get the first one's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, made = tempfile.mkstemp(dir=path.parent, prefix=".person_key-")
    with os.fdopen(handle, "w") as out:
        out.write(secrets.token_hex(32))
        out.flush()
        os.fsync(out.fileno())
    try:
        if path.is_file() and not path.stat().st_size:
            path.unlink()  # of a process that was killed before it had written one
        with contextlib.suppress(FileExistsError):
            os.link(made, path)
    finally:
        os.unlink(made)
    return path.read_bytes().strip()


# What means something in SQL, Jinja, YAML or file patterns. dbt pastes paths into all of them and quotes them in none.
_MEANINGFUL = re.compile(r"""['"{}\[\]*?%$\\;#&,:`\x00-\x1f\x7f]""")


def plain_path(folder: Path) -> Path:
    """The folder itself or, where its path holds characters that mean something to Dagster, a link to it that has none.

    The link lies in a folder of this user's own and is the same for the same home. Raises ``PermissionError`` where
    somebody else made that folder.
    """
    if not _MEANINGFUL.search(str(folder)):
        return folder
    links = Path(tempfile.gettempdir()) / f"cchc-{os.getuid()}"
    links.mkdir(mode=0o700, exist_ok=True)
    if links.is_symlink() or links.stat().st_uid != os.getuid() or links.stat().st_mode & 0o077:
        raise PermissionError(f"{links} is not a folder of this user's own")
    link = links / hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    if not link.is_symlink() or os.readlink(link) != str(folder):
        link.unlink(missing_ok=True)
        link.symlink_to(folder, target_is_directory=True)
    return link


def settings_file() -> Path:
    """Where settings are read from besides the environment, whether there is a file or not."""
    return Path(os.environ.get(SETTINGS_FILE_ENV, "cchc.toml"))


#: What :func:`load_settings` raises where a setting, or the settings file, is not what it should be.
WRONG_SETTINGS = (ValidationError, SettingsError, tomllib.TOMLDecodeError)


def wrong_settings_vi(error: Exception) -> str:
    """Which setting is wrong and what it may be, of an error of ``WRONG_SETTINGS``."""
    if isinstance(error, ValidationError):
        faults = (f"CCHC_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors(include_input=False))
        return f"thiết đặt không dùng được: {'; '.join(faults)}"
    return f"tệp thiết đặt không đọc được: {error}"


def load_settings(**overrides: Any) -> Settings:
    """Settings from the environment and the settings file; ``overrides`` come first. From now on the process reads the
    forms of their home.
    """
    settings = Settings(**overrides)
    use_forms_of(settings.paths.forms)
    return settings
