"""The office's page, asked without a browser: what it shows and takes, from whom; nothing is lost or half read."""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import io
import os
import shutil
import stat
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from ingestion import read_deliveries
from orchestration.office import app as page
from orchestration.office import delivering, refresh
from orchestration.office.delivering import NotDeliverable, Room, Staged, clean_name, deliver
from orchestration.pipeline import Pipeline
from orchestration.settings import Settings
from orchestration.stages import ingest
from tests.support.office import Visit, serving
from tests.support.stopped_calls import How, at_each_call

UNIT, COMMUNE, QUARTER = "945", "31615", "2023-Q1"
PLACE, SOURCE = f"{QUARTER}/{UNIT}", "survey_responses"
HEAD = "Số phiếu;Hình thức;Ngày trả lời;Đánh giá chung\n"
GOOD = "P1;Phiếu giấy;10/01/2023;Hài lòng\n"
BAD = "P2;Phiếu giấy;10/01/2023;không rõ\n"
TODAY = dt.date(2023, 3, 12)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Pipeline, int]]:
    """A home in which one file was read, and the page over it. Tests deliver under names of their own."""
    settings = Settings(home=tmp_path_factory.mktemp("office") / "home")
    settings.paths.create()
    pipeline = Pipeline(settings)
    path = landed(pipeline, "a.csv")
    path.parent.mkdir(parents=True)
    path.write_text(HEAD + GOOD + BAD, encoding="utf-8")
    taken_in(pipeline)
    with serving(settings) as port:
        yield pipeline, port


@pytest.fixture
def pipeline(shared: tuple[Pipeline, int]) -> Pipeline:
    return shared[0]


@pytest.fixture
def visit(shared: tuple[Pipeline, int]) -> Visit:
    return Visit(shared[1])


def landed(pipeline: Pipeline, name: str, source: str = SOURCE) -> Path:
    return pipeline.home.landing / UNIT / QUARTER / source / name


def taken_in(pipeline: Pipeline) -> None:
    ingest(pipeline, SOURCE, QUARTER, [UNIT])
    refresh(pipeline, QUARTER, TODAY)


def tree(home: Path) -> dict[str, tuple[int, int]]:
    return {str(p): (p.lstat().st_size, p.lstat().st_mtime_ns) for p in home.rglob("*")}


# --- what is shown


def test_reading_the_pages_changes_nothing(visit: Visit, pipeline: Pipeline) -> None:
    before = tree(pipeline.home.root)
    for path in ("/", f"/?ky={QUARTER}", f"/don-vi/{PLACE}", f"/don-vi/{QUARTER}/{COMMUNE}", "/office.css",
                 f"/tep/{PLACE}/tra/bien-nhan.html", f"/mau/{PLACE}/{SOURCE}"):  # fmt: skip
        assert visit.get(path).status == 200, path
    assert tree(pipeline.home.root) == before


def test_the_overview_names_who_delivered_and_what_is_missing(visit: Visit) -> None:
    text = visit.get(f"/?ky={QUARTER}").text
    assert "Huyện Cù Lao Dung" in text
    assert "Danh mục cơ quan, đơn vị" in text
    assert text.count("<tr>") > 8, "its communes too"


def test_a_unit_that_never_delivered_is_reached_by_its_code(visit: Visit) -> None:
    assert "Thử và nộp tệp" in visit.get("/?ky=2024-Q1&don-vi=945").text
    assert "999" in visit.get("/?ky=2024-Q1&don-vi=999").text
    assert visit.get("/?ky=2024-Q1&don-vi=../../etc").status == 404


def test_what_came_back_is_one_click_away(visit: Visit) -> None:
    text = visit.get(f"/don-vi/{PLACE}").text
    (link,) = {part.partition('"')[0] for part in text.split('href="')[1:] if ".rejected.xlsx" in part}
    answer = visit.get(link)
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "P2" in [c for row in openpyxl.load_workbook(io.BytesIO(answer.body)).active.values for c in row]


@pytest.mark.parametrize(
    "path", ["du-thao/report/report.docx", "du-thao/ra-soat.html", "quyet-dinh-can-lay.xlsx", "la.txt"]
)
def test_what_lies_there_for_review_is_to_be_had(visit: Visit, pipeline: Pipeline, path: str) -> None:
    file = pipeline.home.root / "review" / UNIT / QUARTER / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"draft")
    assert f"/xet/{path}" in visit.get(f"/don-vi/{PLACE}").text
    assert visit.get(f"/tep/{PLACE}/xet/{path}").body == b"draft"
    assert path not in visit.get(f"/don-vi/{QUARTER}/{COMMUNE}").text


OUTSIDE = [
    "../../../person_key", "../../31615/2023-Q1/bien-nhan.html", "link", "folder/../bien-nhan.html", "", ".",
    "survey_responses", "/etc/passwd", "a\0b", "//etc/passwd", "linked/passwd",
]  # fmt: skip


@pytest.mark.parametrize("path", OUTSIDE)
@pytest.mark.parametrize("quoted", [False, True])
def test_no_file_from_elsewhere_is_given(visit: Visit, pipeline: Pipeline, path: str, quoted: bool) -> None:
    pipeline.settings.person_secret()
    folder = pipeline.home.outbox / UNIT / QUARTER
    for name, target in (("link", "/etc/passwd"), ("linked", "/etc")):
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(target)
    asked = path.replace("/", "%2F").replace(".", "%2E") if quoted else path
    asked = asked.replace("\0", "%00")
    for kind in ("tra", "xet", "la"):
        answer = visit.ask("GET", f"/tep/{PLACE}/{kind}/{asked}")
        assert answer.status in (403, 404), (asked, answer.status)
        assert b"root:" not in answer.body


@pytest.mark.parametrize("place", ["2023-Q9/945", "2023-Q1/999", "2023-Q1/..", "x/y", "2023-Q1/945%2F..%2F31615"])
def test_a_place_that_is_none_is_said_so(visit: Visit, place: str) -> None:
    answer = visit.ask("GET", f"/don-vi/{place}")
    assert answer.status == 404
    assert "Không làm được việc này" in answer.text


# --- what is taken


def test_a_file_is_tried_and_nothing_is_kept_then_delivered_as_it_was(visit: Visit, pipeline: Pipeline) -> None:
    data = (HEAD + GOOD + BAD).encode()
    before = tree(pipeline.home.landing)
    tried = visit.send(PLACE, SOURCE, "thử.csv", data, "thu")
    assert "Nếu nộp, tệp sẽ được nhận một phần: đọc 2 dòng, nhận 1, trả lại 1" in tried.text
    assert tree(pipeline.home.landing) == before
    action = tried.text.split('action="')[1].partition('"')[0]
    done = visit.post(action, {"csrf": visit.token(f"/don-vi/{PLACE}")})
    assert "Đã nộp “thử.csv”" in done.text
    assert landed(pipeline, "thử.csv").read_bytes() == data
    again = visit.post(action, {"csrf": visit.token(f"/don-vi/{PLACE}")})
    assert again.status == 200, "pressed twice"


def test_delivering_tells_at_once_what_comes_back_and_the_mended_workbook_closes_it(
    tmp_path: Path,
) -> None:
    settings = Settings(home=tmp_path / "home")
    settings.paths.create()
    pipeline = Pipeline(settings)
    with serving(settings) as port:
        visit = Visit(port)
        page = visit.send(PLACE, SOURCE, "phieu.csv", (HEAD + GOOD + BAD).encode())
        assert "trả lại 1" in page.text
        link = next(p.partition('"')[0] for p in page.text.split('href="') if "tra-lai.xlsx" in p.partition('"')[0])
        workbook = visit.get(link)
        assert "phieu.csv.rejected.xlsx" in workbook.headers["content-disposition"]
        book = openpyxl.load_workbook(io.BytesIO(workbook.body))
        (row,) = [row for row in book.active.iter_rows() if any(cell.value == "P2" for cell in row)]
        row[-1].value = "Hài lòng"
        mended = io.BytesIO()
        book.save(mended)
        # Before any run has read the first file: both are read in one look.
        assert "sẽ được nhận đủ" in visit.send(PLACE, SOURCE, "phieu.csv.rejected.xlsx", mended.getvalue()).text
        waiting = visit.get(f"/don-vi/{PLACE}").text
        assert "đang chờ đọc" in waiting
        taken_in(pipeline)
        text = visit.get(f"/don-vi/{PLACE}").text
        assert "đang chờ đọc" not in text
        assert "nhận đủ, các dòng bị trả lại đã được sửa" in text
        assert "Trả lại, cần sửa" not in text


def test_nothing_delivered_is_lost_when_a_name_is_used_again(visit: Visit, pipeline: Pipeline) -> None:
    versions = [f"{HEAD}P{n};Phiếu giấy;10/01/2023;Hài lòng\n".encode() for n in range(3)]
    for version in versions:
        visit.send(PLACE, SOURCE, "lại.csv", version)
    assert landed(pipeline, "lại.csv").read_bytes() == versions[-1]
    aside = sorted((pipeline.home.root / "set_aside" / "landing").rglob("lại.csv*"))
    assert [path.read_bytes() for path in aside] == versions[:2], "neither had been read"
    assert "không có gì thay đổi" in visit.send(PLACE, SOURCE, "lại.csv", versions[-1]).text
    taken_in(pipeline)
    visit.send(PLACE, SOURCE, "lại.csv", versions[0])
    assert len(list((pipeline.home.root / "set_aside" / "landing").rglob("lại.csv*"))) == 2, "that one was read"


def test_a_note_of_the_sender_speaks_of_the_new_file(visit: Visit, pipeline: Pipeline) -> None:
    for note in ("n.csv.done", "m.done"):
        landed(pipeline, note).write_text("0" * 64)
    for name in ("n.csv", "m.csv"):
        data = f"{HEAD}{name};Phiếu giấy;10/01/2023;Hài lòng\n".encode()
        visit.send(PLACE, SOURCE, name, data)
        note = landed(pipeline, "n.csv.done" if name == "n.csv" else "m.done")
        assert note.read_text() == hashlib.sha256(data).hexdigest()
    taken_in(pipeline)
    assert {"n.csv", "m.csv"} <= {d["file_name"] for d in read_deliveries(pipeline.deliveries.paths).to_pylist()}


def test_a_file_appears_whole_or_not_at_all(visit: Visit, pipeline: Pipeline) -> None:
    data = (HEAD + "".join(f"W{n};Phiếu giấy;10/01/2023;Hài lòng\n" for n in range(50_000))).encode()
    seen: set[int] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            for path in landed(pipeline, "x").parent.glob("[!.]*lớn.csv"):
                seen.add(path.stat().st_size)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        visit.send(PLACE, SOURCE, "lớn.csv", data)
    finally:
        over.set()
        watcher.join()
    assert seen <= {len(data)}
    assert not [p.name for p in landed(pipeline, "x").parent.iterdir() if p.name.startswith(".")]
    landed(pipeline, "lớn.csv").unlink()


def contents(folder: Path, name: str) -> list[bytes]:
    """What lies below a folder under a name, whole."""
    return [path.read_bytes() for path in sorted(folder.rglob(f"{name}*")) if path.suffix not in (".done", ".tmp")]


@pytest.mark.parametrize("how", ["killed", "full"])
@pytest.mark.parametrize("note", [None, "a.csv.done"])
@pytest.mark.parametrize("was_read", [True, False], ids=["read", "unread"])
def test_a_delivery_that_is_stopped_anywhere_loses_neither_file(
    tmp_path: Path, how: How, note: str | None, was_read: bool
) -> None:
    """At each call: what lay there lies there still or is kept, and the same file delivered again ends it."""
    settings = Settings(home=tmp_path / "home")
    old, new = (f"{HEAD}{name};Phiếu giấy;10/01/2023;Hài lòng\n".encode() for name in ("cũ", "mới"))
    (tmp_path / "a.csv").write_bytes(new)
    staged = Staged("token", tmp_path / "a.csv", SOURCE, UNIT, QUARTER, None, 0.0)
    pipeline = Pipeline(settings)
    file = landed(pipeline, "a.csv")

    def prepare() -> None:
        shutil.rmtree(settings.home, ignore_errors=True)
        settings.paths.create()
        file.parent.mkdir(parents=True)
        file.write_bytes(old)
        if note:
            (file.parent / note).write_text(hashlib.sha256(old).hexdigest())

    with pytest.MonkeyPatch.context() as patch:
        read = {hashlib.sha256(old).hexdigest()} if was_read else set()
        patch.setattr(delivering, "_read_contents", lambda *_: read)
        for number in at_each_call(prepare, lambda: deliver(pipeline, staged), how):
            lies = file.read_bytes()
            assert lies in (old, new), number
            kept = contents(settings.paths.root / "set_aside", "a.csv")
            assert lies == old or was_read or old in kept, number
            if note and lies == old:
                assert (file.parent / note).read_text() == hashlib.sha256(old).hexdigest(), number
            outcome = deliver(pipeline, staged)
            assert outcome == ("replaced" if lies == old else "same"), number
            assert file.read_bytes() == new
            assert [p.name for p in file.parent.iterdir() if p.name.startswith(".")] == [], number
            if note:
                assert (file.parent / note).read_text() == hashlib.sha256(new).hexdigest(), number
            assert was_read or old in contents(settings.paths.root / "set_aside", "a.csv"), number


def test_of_files_sent_at_once_under_one_name_none_is_lost(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    settings.paths.create()
    pipeline = Pipeline(settings)
    sent = [f"{HEAD}P{n};Phiếu giấy;10/01/2023;Hài lòng\n".encode() for n in range(12)]
    staged = []
    for number, data in enumerate(sent):
        path = tmp_path / str(number) / "a.csv"
        path.parent.mkdir()
        path.write_bytes(data)
        staged.append(Staged(str(number), path, SOURCE, UNIT, QUARTER, None, 0.0))
    with ThreadPoolExecutor(len(sent)) as pool:
        outcomes = list(pool.map(lambda each: deliver(pipeline, each), staged))
    assert sorted(outcomes) == ["new", *["replaced"] * 11]
    kept = contents(settings.paths.root / "set_aside", "a.csv")
    assert sorted([landed(pipeline, "a.csv").read_bytes(), *kept]) == sorted(sent)


def test_nothing_is_written_through_a_link_beside_the_file(visit: Visit, pipeline: Pipeline, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    link = landed(pipeline, ".l.csv.tmp")
    link.symlink_to(victim)
    answer = visit.send(PLACE, SOURCE, "l.csv", (HEAD + GOOD).encode())
    assert (answer.status, victim.read_text()) == (503, "mine")
    link.unlink(missing_ok=True)


def test_files_of_case_records_are_not_everybodys(visit: Visit, pipeline: Pipeline) -> None:
    visit.send(PLACE, SOURCE, "riêng.csv", (HEAD + GOOD).encode())
    assert stat.S_IMODE(landed(pipeline, "riêng.csv").stat().st_mode) & 0o007 == 0


@pytest.mark.skipif(os.getuid() != 0, reason="a folder of another account needs root")
def test_a_unit_that_delivers_by_sftp_too_goes_on_with_what_came_over_the_page(tmp_path: Path) -> None:
    """Its own folder lets nobody else pass; what the page makes below is open to whoever got there."""
    settings = Settings(home=tmp_path / "home")
    settings.paths.create()
    top = settings.paths.landing / UNIT
    top.mkdir()
    top.chmod(0o2770)
    os.chown(top, 12_345, os.getgid())
    with serving(settings) as port:
        Visit(port).send(PLACE, SOURCE, "a.csv", (HEAD + GOOD).encode())
    made = [top / QUARTER, top / QUARTER / SOURCE, top / QUARTER / SOURCE / "a.csv"]
    assert [stat.S_IMODE(path.stat().st_mode) & 0o007 for path in made] == [7, 7, 6]
    assert stat.S_IMODE(top.stat().st_mode) == 0o2770


def test_what_a_killed_page_left_of_tried_files_goes_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left, mine, other = (tmp_path / f"cchc-office-{name}" for name in ("4194305-x", f"{os.getpid()}-x", "letters-x"))
    for folder in (left, mine, other):
        folder.mkdir()
        (folder / "phieu.csv").write_text("Trần Thị B")
    room = Room()
    assert not left.exists()
    assert mine.exists()
    assert other.exists()
    assert stat.S_IMODE(room.root.stat().st_mode) == 0o700
    room.close()
    assert not room.root.exists()


def broken(*_: Any, **__: Any) -> Any:
    raise RuntimeError


def full(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("what", "breaks", "how", "status"),
    [
        ("thu", ["check_file"], broken, 500),
        ("thu", ["check_file"], full, 503),
        ("nop", ["deliver"], broken, 500),
        ("nop", ["deliver"], full, 503),
        ("nop", ["deliver", "check_file"], full, 503),
    ],
)
def test_a_file_on_which_the_page_breaks_does_not_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, breaks: list[str], how: Any, status: int
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    settings = Settings(home=tmp_path / "home")
    settings.paths.create()
    with serving(settings) as port:
        (room,) = tmp_path.glob("cchc-office-*")
        visit = Visit(port)
        with monkeypatch.context() as patch:
            for name in breaks:
                patch.setattr(page, name, how)
            for _ in range(3):
                assert visit.send(PLACE, SOURCE, "a.csv", (HEAD + GOOD).encode(), what).status == status
        assert list(room.iterdir()) == []
        assert not list(settings.paths.landing.rglob("*.csv"))
        assert visit.send(PLACE, SOURCE, "a.csv", (HEAD + GOOD).encode(), what).status == 200
        assert len(list(room.iterdir())) == 1


def test_a_tried_file_outlives_a_delivery_that_broke(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = visit.send(PLACE, SOURCE, "hỏng.csv", (HEAD + GOOD).encode(), "thu")
    action = tried.text.split('action="')[1].partition('"')[0]
    fields = {"csrf": visit.token(f"/don-vi/{PLACE}")}
    with monkeypatch.context() as patch:
        patch.setattr(page, "deliver", full)
        assert visit.post(action, fields).status == 503
    assert "Đã nộp “hỏng.csv”" in visit.post(action, fields).text


def test_what_was_kept_goes_in_its_time_without_another_visit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(page, "_SWEEP_SECONDS", 0.05)
    settings = Settings(home=tmp_path / "home")
    settings.paths.create()
    with serving(settings) as port:
        (room,) = tmp_path.glob("cchc-office-*")
        Visit(port).send(PLACE, SOURCE, "a.csv", (HEAD + GOOD).encode(), "thu")
        assert len(list(room.iterdir())) == 1
        monkeypatch.setattr(delivering, "_KEPT_SECONDS", 0.0)
        end = time.monotonic() + 20
        while list(room.iterdir()):
            assert time.monotonic() < end
            time.sleep(0.02)


def test_nobody_takes_anothers_place_in_the_room() -> None:
    room = Room()
    try:
        for number in range(60):
            login = ("huyen", "xa", None)[number % 3]
            room.keep(room.take(io.BytesIO(b"x"), "a.csv", SOURCE, UNIT, QUARTER, login))
        first = room.take(io.BytesIO(b"x"), "a.csv", SOURCE, UNIT, QUARTER, "tinh")
        room.keep(first)
        for _ in range(30):
            room.keep(room.take(io.BytesIO(b"x"), "a.csv", SOURCE, UNIT, QUARTER, "xa"))
        counts = Counter(each.login for each in room.kept.values())
        assert counts == {"huyen": 20, "xa": 20, None: 20, "tinh": 1}
        assert room.find(first.token, "tinh") == first
        assert {path.name for path in room.root.iterdir()} == set(room.kept)
    finally:
        room.close()


@pytest.mark.parametrize(
    ("sent", "taken"),
    [("C:\\Tệp\\a b.csv", "a b.csv"), ("/tmp/x/../phiếu.csv", "phiếu.csv"), ("phie\u0302\u0301u.csv", "phi\u1ebfu.csv"),
     (" a.csv ", "a.csv"), ("quyet-dinh.xlsx.minisig", "quyet-dinh.xlsx.minisig")],
)  # fmt: skip
def test_a_name_is_the_files_own(sent: str, taken: str) -> None:
    assert clean_name(sent) == taken


@pytest.mark.parametrize(
    "sent", ["", "..", ".", "a/", "\\", ".ẩn.csv", "~$a.xlsx", "a.part", "a.csv.done", "a\nb.csv", "a\u202eb.csv",
             "x" * 201 + ".csv", "a\0.csv"],
)  # fmt: skip
def test_a_name_under_which_nothing_can_be_delivered_is_refused(sent: str) -> None:
    with pytest.raises(NotDeliverable):
        clean_name(sent)


@pytest.mark.parametrize(
    ("fields", "file", "said"),
    [({"nguon": ""}, ("a.csv", b"x"), "Chưa chọn nguồn"), ({"nguon": "no_such"}, ("a.csv", b"x"), "Chưa chọn nguồn"),
     ({"nguon": SOURCE}, None, "Chưa chọn tệp"), ({"nguon": SOURCE}, ("", b""), "Chưa chọn tệp"),
     ({"nguon": SOURCE}, (".a.csv", b"x"), "Tệp tạm")],
)  # fmt: skip
def test_what_is_left_out_is_asked_for(visit: Visit, fields: dict[str, str], file: Any, said: str) -> None:
    token = visit.token(f"/don-vi/{PLACE}")
    answer = visit.post(f"/don-vi/{PLACE}/tep", {"csrf": token, "viec": "nop", **fields}, file)
    assert answer.status == 422
    assert said in answer.text
    assert 'name="tep"' in answer.text, "the form is there to be filled in again"


def test_a_link_that_lies_there_is_not_written_through(visit: Visit, pipeline: Pipeline, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    landed(pipeline, "link.csv").symlink_to(victim)
    answer = visit.send(PLACE, SOURCE, "link.csv", (HEAD + GOOD).encode())
    assert (answer.status, victim.read_text()) == (422, "mine")
    landed(pipeline, "link.csv").unlink()


# --- from whom


def test_a_request_without_the_pages_token_delivers_nothing(visit: Visit, pipeline: Pipeline) -> None:
    before = tree(pipeline.home.landing)
    token = visit.token(f"/don-vi/{PLACE}")
    file, fields = ("csrf.csv", (HEAD + GOOD).encode()), {"nguon": SOURCE, "viec": "nop"}
    for said in ("", "0" * 64, token[:-1]):
        assert visit.post(f"/don-vi/{PLACE}/tep", {**fields, "csrf": said}, file).status == 403
    stranger = Visit(visit.port)
    assert stranger.post(f"/don-vi/{PLACE}/tep", {**fields, "csrf": token}, file).status == 403
    for site in ("cross-site", "same-site"):
        answer = visit.post(f"/don-vi/{PLACE}/tep", {**fields, "csrf": token}, file, Sec_Fetch_Site=site)
        assert answer.status == 403
    assert tree(pipeline.home.landing) == before


@pytest.mark.parametrize(
    ("host", "fits"),
    [("127.0.0.1:3002", True), ("localhost", True), ("[::1]:3002", True), ("LOCALHOST:1", True), ("127.0.0.53", True),
     ("evil.example", False), ("127.0.0.1.evil.example", False), ("localhost.evil.example", False), ("", False),
     ("192.0.2.7:3002", False), ("0.0.0.0", False), ("[::", False), ("user@evil.example", False)],
)  # fmt: skip
def test_a_foreign_name_that_leads_here_is_refused(visit: Visit, host: str, fits: bool) -> None:
    assert page.is_asked_here(host) is fits
    answer = visit.ask("GET", "/", Host=host or "no.host")
    assert answer.status == (200 if fits else 421)


def test_every_answer_forbids_scripts_frames_and_caches(visit: Visit) -> None:
    for path in ("/", f"/don-vi/{PLACE}", "/none", f"/tep/{PLACE}/tra/bien-nhan.html"):
        headers = visit.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "script" not in headers["content-security-policy"]
        assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")
        assert "server" not in headers
    assert "<script" not in visit.get(f"/don-vi/{PLACE}").text


@pytest.mark.parametrize("said", [True, False], ids=["told", "streamed"])
def test_a_file_larger_than_any_may_be_is_refused(tmp_path: Path, said: bool) -> None:
    settings = Settings.model_validate({"home": tmp_path / "home", "intake": {"max_file_bytes": 1 << 20}})
    settings.paths.create()
    with serving(settings) as port:
        visit = Visit(port)
        if said:
            answer = visit.send(PLACE, SOURCE, "a.csv", b"x" * (2 << 20))
        else:
            mark = "m"
            head = f'--{mark}\r\nContent-Disposition: form-data; name="tep"; filename="a.csv"\r\n\r\n'.encode()
            body = head + b"x" * (2 << 20) + f"\r\n--{mark}--\r\n".encode()
            chunked = b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (body[:1000], body[1000:])) + b"0\r\n\r\n"
            answer = visit.ask(
                "POST", f"/don-vi/{PLACE}/tep", chunked, Content_Type=f"multipart/form-data; boundary={mark}",
                Transfer_Encoding="chunked",
            )  # fmt: skip
        assert answer.status == 413
        assert "lớn quá 1 MB" in answer.text
    assert not list(settings.paths.landing.rglob("*.csv"))


@pytest.fixture(scope="module")
def bound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A page behind a proxy: two logins of units, one of all."""
    logins = {"huyen": [UNIT], "xa": [COMMUNE], "tinh": ["*"]}
    home = tmp_path_factory.mktemp("bound") / "home"
    settings = Settings.model_validate({"home": home, "office_logins": logins})
    settings.paths.create()
    with serving(settings) as port:
        yield port


@pytest.mark.parametrize(
    ("login", "own", "other"),
    [("huyen", 200, 403), ("xa", 403, 200), ("tinh", 200, 200), ("la", 403, 403), ("", 403, 403), (None, 403, 403)],
)
def test_a_login_sees_and_delivers_what_is_its_units(bound: int, login: str | None, own: int, other: int) -> None:
    visit = Visit(bound, {} if login is None else {"X-Cchc-Login": login})
    for unit, status in ((UNIT, own), (COMMUNE, other)):
        for path in (f"/don-vi/{QUARTER}/{unit}", f"/mau/{QUARTER}/{unit}/one_stop_cases"):
            assert visit.get(path).status == status, path
        if status == 403:
            body = visit.post(
                f"/don-vi/{QUARTER}/{unit}/tep", {"nguon": "one_stop_cases", "viec": "nop"}, ("a.csv", b"x")
            )
            assert body.status == 403
            assert visit.get(f"/tep/{QUARTER}/{unit}/tra/bien-nhan.html").status == 403


def test_what_one_login_tried_another_does_not_see(bound: int) -> None:
    mine, other = Visit(bound, {"X-Cchc-Login": "huyen"}), Visit(bound, {"X-Cchc-Login": "xa"})
    fields = {"csrf": mine.token(f"/don-vi/{PLACE}"), "nguon": SOURCE, "viec": "thu"}
    answer = mine.post(f"/don-vi/{PLACE}/tep", fields, ("a.csv", (HEAD + BAD).encode()), follow=False)
    tried = answer.headers["location"]
    assert mine.get(tried).status == 200
    assert other.get(tried).status == 404
    assert other.get(f"{tried}/tra-lai.xlsx").status == 404
    assert other.post(f"{tried}/nop", {"csrf": other.token(f"/don-vi/{QUARTER}/{COMMUNE}")}).status == 404


def test_a_login_of_a_proxy_is_not_everybody_where_nobody_was_bound(visit: Visit) -> None:
    assert visit.get("/", **{"X-Cchc-Login": "ai-do"}).status == 403


@pytest.mark.parametrize("proxy", [True, False])
@pytest.mark.parametrize("logins", [{}, {"huyen": [UNIT]}], ids=["none", "listed"])
@pytest.mark.parametrize("login", [None, "", "huyen", "la"])
def test_who_a_visitor_is(tmp_path: Path, proxy: bool, logins: dict[str, Any], login: str | None) -> None:
    """Everybody only where no proxy asks for logins and none is listed or named; with a proxy, no name is nobody."""
    settings = Settings.model_validate({"home": tmp_path / "home", "proxy_login": proxy, "office_logins": logins})
    office = page.Office(settings)
    headers = [] if login is None else [(page.LOGIN_HEADER.encode(), login.encode())]
    request = Request({"type": "http", "headers": headers})
    try:
        if not proxy and not logins and not login:
            assert office.visitor(request) == page.Visitor(None, None)
        elif login == "huyen" and logins:
            assert office.visitor(request) == page.Visitor("huyen", frozenset([UNIT]))
        else:
            with pytest.raises(HTTPException) as refused:
                office.visitor(request)
            assert refused.value.status_code == 403
    finally:
        office.room.close()


def test_a_server_that_breaks_says_no_more_than_its_kind(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: Any, **__: Any) -> Any:
        raise RuntimeError("Trần Thị B, 0912345678")

    monkeypatch.setattr(page, "boxes", breaks)
    answer = visit.get("/")
    assert answer.status == 500
    assert "RuntimeError" in answer.text
    assert "0912345678" not in answer.text
