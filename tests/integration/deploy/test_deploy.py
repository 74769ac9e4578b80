"""What is installed on a host, as far as it can be tried without systemd in charge: files, folders, nginx, scripts."""

from __future__ import annotations

import base64
import contextlib
import http.server
import inspect
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import pytest
from dagster._core.execution import asset_backfill

from orchestration import ui
from orchestration.settings import Settings, load_settings
from tests.support.office import serving

DEPLOY = Path(__file__).parents[3] / "deploy"
SCRIPTS = ["cchc", "install.sh", "landing-accounts.sh"]


def program(name: str, package: str) -> str:
    # Debian's users have no sbin in their path.
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"]))
    if not found:
        pytest.skip(f"needs {name} (Debian package {package})")
    return found


def ran(*command: str | Path, **environment: str) -> str:
    """What a program says; fails where it fails."""
    done = subprocess.run(
        command, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_plain_shell(name: str) -> None:
    ran("sh", "-n", DEPLOY / name)
    assert os.access(DEPLOY / name, os.X_OK)
    ran(program("shellcheck", "shellcheck"), DEPLOY / name)


def test_the_example_of_settings_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CCHC_SETTINGS", str(DEPLOY / "cchc.toml.example"))
    monkeypatch.delenv("CCHC_HOME")
    assert load_settings().home == Path("/var/lib/cchc")


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    analyze = program("systemd-analyze", "systemd")
    units = tmp_path / "units"
    shutil.copytree(DEPLOY / "systemd", units)
    (tmp_path / "bin").mkdir()
    for name in ("cchc", "dagster-daemon", "python"):
        shutil.copy("/bin/true", tmp_path / "bin" / name)
    for path in units.rglob("*.*"):
        if path.is_file():
            path.write_text(path.read_text().replace("/opt/cchc/bin", str(tmp_path / "bin")))
    for unit in units.glob("*.service"):
        said = ran(analyze, "verify", unit, SYSTEMD_UNIT_PATH=f"{units}:")
        assert said == ""


def test_accounts_and_folders(tmp_path: Path) -> None:
    """As systemd makes them, in a root of their own: who may enter and write where."""
    if os.getuid():
        pytest.skip("folders of several owners need root")
    sysusers, tmpfiles = program("systemd-sysusers", "systemd"), program("systemd-tmpfiles", "systemd")
    (tmp_path / "etc").mkdir()
    for _ in range(2):
        ran(sysusers, f"--root={tmp_path}", DEPLOY / "sysusers.d" / "cchc.conf")
        ran(tmpfiles, f"--root={tmp_path}", "--create", DEPLOY / "tmpfiles.d" / "cchc.conf")
    users = {f[0]: int(f[2]) for f in (line.split(":") for line in (tmp_path / "etc/passwd").read_text().splitlines())}
    groups = {f[0]: int(f[2]) for f in (line.split(":") for line in (tmp_path / "etc/group").read_text().splitlines())}
    groups["root"] = users["root"] = 0

    def is_laid(path: str, mode: int, user: str, group: str) -> None:
        found = (tmp_path / path).stat()
        assert (oct(found.st_mode & 0o7777), found.st_uid, found.st_gid) == (oct(mode), users[user], groups[group])

    is_laid("var/lib/cchc", 0o711, "cchc", "cchc")
    for folder in ("published", "history"):
        is_laid(f"var/lib/cchc/{folder}", 0o2750, "cchc", "cchc-readers")
    is_laid("var/lib/cchc/metrics", 0o755, "cchc", "cchc")
    # What SSH demands of a chroot: root's own, and nobody else's to write.
    for folder in ("srv", "srv/cchc"):
        is_laid(folder, 0o755, "root", "root")
    is_laid("srv/cchc/landing", 0o751, "root", "cchc")
    assert (tmp_path / "var/lib/cchc/landing").readlink() == Path("/srv/cchc/landing")


def test_an_installation_can_be_repeated_and_keeps_what_was_set(tmp_path: Path) -> None:
    wheel, root = tmp_path / "cchc.whl", tmp_path / "root"
    wheel.touch()
    (tmp_path / "requirements.lock").touch()
    said = ran(DEPLOY / "install.sh", wheel, DESTDIR=str(root))
    laid = sorted(f"/{path.relative_to(root)}" for path in root.rglob("*") if path.is_file())
    assert sorted(re.findall(r"written +(\S+)", said)) == laid
    assert len(laid) == 11

    (root / "etc/cchc/cchc.toml").write_text('home = "/elsewhere"\n')
    (root / "etc/systemd/system/cchc-web.service").write_text("of an older version\n")
    said = ran(DEPLOY / "install.sh", wheel, DESTDIR=str(root))
    assert re.findall(r"written +(\S+)", said) == ["/etc/systemd/system/cchc-web.service"]
    assert re.findall(r"kept +(\S+)", said) == ["/etc/cchc/cchc.toml"]
    assert (root / "etc/cchc/cchc.toml").read_text() == 'home = "/elsewhere"\n'


def test_logs_are_rotated_under_a_program_that_keeps_them_open(tmp_path: Path) -> None:
    logrotate = program("logrotate", "logrotate")
    logs = tmp_path / "logs"
    logs.mkdir(mode=0o750)
    rules = (DEPLOY / "logrotate.d" / "cchc").read_text().replace("/var/lib/cchc/logs", str(logs))
    me = ran("id", "-un").strip()
    (tmp_path / "rules").write_text(rules.replace("su cchc cchc", f"su {me} {ran('id', '-gn').strip()}"))
    (tmp_path / "rules").chmod(0o644)
    with (logs / "dagster.log").open("a") as log:
        log.write("before\n")
        log.flush()
        ran(logrotate, "--force", "--state", tmp_path / "state", tmp_path / "rules")
        log.write("after\n")
    assert (logs / "dagster.log").read_text() == "after\n"
    assert (logs / "dagster.log.1").read_text() == "before\n"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Operators(http.server.BaseHTTPRequestHandler):
    """Stands for the server in which runs are started: says what reached it."""

    def do_POST(self) -> None:
        body = json.dumps({"path": self.path, "authorization": self.headers["Authorization"]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, *arguments: object) -> None:
        pass


@contextlib.contextmanager
def process(*command: str | Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, env={**os.environ, **environment}) as started:
        try:
            yield started
        finally:
            started.terminate()


class Office:
    """The host as the network sees it: nginx with the two lists of people, in front of both servers."""

    def __init__(self, port: int, published: Path) -> None:
        self.port, self.published = port, published
        self._trust = ssl.create_default_context()
        self._trust.check_hostname, self._trust.verify_mode = False, ssl.CERT_NONE

    def ask(self, path: str, person: str = "", body: bytes | None = None, **headers: str) -> tuple[int, str]:
        status, _, text = self._open(path, person, body, **headers)
        return status, text

    def _open(self, path: str, person: str = "", body: bytes | None = None, **headers: str) -> tuple[int, Message, str]:
        request = urllib.request.Request(f"https://127.0.0.1:{self.port}{path}", body, headers)
        if person:
            login = base64.b64encode(f"{person}:secret of {person}".encode()).decode()
            request.add_header("Authorization", f"Basic {login}")
        try:
            with urllib.request.urlopen(request, context=self._trust, timeout=60) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def headers(self, path: str, person: str = "") -> Message:
        """Of the answer, whatever it is."""
        return self._open(path, person)[1]

    def graphql(self, path: str, person: str, question: str, **headers: str) -> tuple[int, str]:
        body = json.dumps({"query": question}).encode()
        return self.ask(f"{path}/graphql", person, body, **{"Content-Type": "application/json", **headers})


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    nginx, openssl = program("nginx", "nginx-light"), program("openssl", "openssl")
    base = tmp_path_factory.mktemp("office")
    published, history, settings = base / "published", base / "history", base / "etc"
    (settings / "tls").mkdir(parents=True)
    published.mkdir()
    (published / "index.html").write_text("<!doctype html><title>Báo cáo</title>")
    for name in ("index.html", "don-vi/31615.html", "phieu-trinh.html"):
        page_of_release = published / "945" / "2023-Q1" / "r12" / "report" / name
        page_of_release.parent.mkdir(parents=True, exist_ok=True)
        page_of_release.write_text("<!doctype html><title>Báo cáo</title>")
    history.mkdir()
    (history / "index.html").write_text("<!doctype html><title>Lịch sử</title>")
    (history / ".runs.parquet.tmp").write_text("half")
    (published / ".index.json.tmp").write_text("half")
    key, certificate = settings / "tls" / "key.pem", settings / "tls" / "cert.pem"
    named = ["-subj", "/CN=cchc", "-days", "1", "-keyout", key, "-out", certificate]
    ran(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", *named)
    lists = {"viewers": ("viewer", "operator"), "operators": ("operator",)}
    for name, people in lists.items():
        lines = (f"{p}:{ran(openssl, 'passwd', '-6', f'secret of {p}').strip()}\n" for p in people)
        (settings / f"{name}.htpasswd").write_text("".join(lines))

    logins = {"viewer": ["945"]}
    page = Settings.model_validate({"home": base / "home", "office_logins": logins})
    page.paths.create()
    stack = contextlib.ExitStack()
    page_port = stack.enter_context(serving(page, "/office"))
    port, view, operators = free_port(), free_port(), http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Operators)
    site = (DEPLOY / "nginx" / "cchc.conf").read_text()
    for theirs, ours in {
        "/etc/cchc": str(settings),
        "/var/lib/cchc/published": str(published),
        "/var/lib/cchc/history": str(history),
        "listen 443 ": f"listen 127.0.0.1:{port} ",
        "listen 80 ": f"listen 127.0.0.1:{free_port()} ",
        "127.0.0.1:3001": f"127.0.0.1:{view}",
        "127.0.0.1:3002": f"127.0.0.1:{page_port}",
        "127.0.0.1:3000": f"127.0.0.1:{operators.server_port}",
    }.items():
        assert theirs in site
        site = site.replace(theirs, ours)
    (base / "site.conf").write_text(site)
    folders = "".join(f"{k}_temp_path {base}/{k};" for k in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    (base / "nginx.conf").write_text(
        f"{'user root;' if os.getuid() == 0 else ''} daemon off; pid {base}/pid; error_log {base}/error.log; "
        f"events {{}} http {{ include /etc/nginx/mime.types; access_log off; {folders} include {base}/site.conf; }}"
    )
    ran(nginx, "-t", "-e", base / "error.log", "-c", base / "nginx.conf")

    (base / "dagster").mkdir()
    line = re.search(r"^ExecStart=(.*)$", (DEPLOY / "systemd" / "cchc-view.service").read_text(), re.MULTILINE)
    assert line
    webserver = line[1].replace("/opt/cchc/bin", str(Path(sys.executable).parent)).replace("3001", str(view))
    webserver = webserver.replace("-m orchestration.definitions", "--empty-workspace")  # the project is not asked here
    threading.Thread(target=operators.serve_forever, daemon=True).start()
    made = Office(port, published)
    with (
        stack,
        process(*webserver.split(), DAGSTER_HOME=str(base / "dagster")) as server,
        process(nginx, "-e", base / "error.log", "-c", base / "nginx.conf"),
    ):
        end = time.monotonic() + 300
        while not _answers(made):
            assert server.poll() is None
            assert time.monotonic() < end, "the server for viewers did not start"
            time.sleep(0.5)
        yield made
    operators.shutdown()


def _answers(office: Office) -> bool:
    try:
        return office.ask("/view/server_info", "viewer")[0] == 200
    except OSError:
        return False


@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/view/", "/view/graphql", "/ops/", "/ops/graphql", "/history/", "/none"]
)
def test_nothing_is_shown_without_a_login(office: Office, path: str) -> None:
    assert office.ask(path)[0] == 401
    assert office.ask(path, "stranger")[0] == 401


def test_viewers_read_the_page_and_nothing_half_written(office: Office) -> None:
    status, page = office.ask("/", "viewer")
    assert (status, "Báo cáo" in page) == (200, True)
    assert office.ask("/.index.json.tmp", "viewer")[0] == 404
    assert office.ask("/index.html", "viewer", b"written")[0] == 403


def test_viewers_look_into_dagster_and_change_nothing(office: Office) -> None:
    status, answer = office.graphql("/view", "viewer", "{ version }")
    assert (status, "1.13" in answer) == (200, True)
    change = 'mutation { deletePipelineRun(runId: "none") { __typename } }'
    assert "UnauthorizedError" in office.graphql("/view", "viewer", change)[1]
    assert office.graphql("/ops", "viewer", change)[0] == 401


def test_operators_reach_their_server_which_learns_no_password(office: Office) -> None:
    status, answer = office.graphql("/ops", "operator", "{ version }")
    assert (status, json.loads(answer)) == (200, {"path": "/ops/graphql", "authorization": None})


def test_the_offices_page_shows_each_login_its_own_units(office: Office) -> None:
    assert office.ask("/office/")[0] == 401
    status, page = office.ask("/office/?ky=2023-Q1", "viewer")
    assert status == 200
    (link,) = re.findall(r'href="(/office/don-vi/[^"]+)"', page)
    status, page = office.ask(link, "viewer")
    assert (status, "Thử và nộp tệp" in page) == (200, True)
    assert re.findall(r'action="([^"]+)"', page) == [f"{link}/tep"], "what the page asks for leads through the proxy"
    assert office.ask(link.replace("945", "31615"), "viewer")[0] == 403
    assert office.ask(link, "viewer", **{"X-Cchc-Login": "operator"})[0] == 200, "the proxy says who it is"
    assert office.ask("/office/", "operator")[0] == 403, "a login of the host is not one of a unit"
    assert office.ask("/office/office.css", "viewer")[0] == 200
    for origin, expected in {"cross-site": 403, "same-origin": 200}.items():
        assert office.ask("/office/", "viewer", **{"Sec-Fetch-Site": origin})[0] == expected
    status, said = office.ask(
        f"{link}/tep", "viewer", b"--x--\r\n", **{"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert (status, "Không làm được" in said) == (403, True), "no token, no delivery"


def test_a_release_page_may_be_framed_by_other_sites_and_nothing_else_may(office: Office) -> None:
    """Its snippets put `report/index.html#nhung-…` into a frame."""
    release = "/945/2023-Q1/r12/report/"
    for path in (release, f"{release}index.html"):
        found = office.headers(path, "viewer")
        assert found.get_all("Content-Security-Policy") == ["frame-ancestors *"], path
        assert found["X-Frame-Options"] is None, path
    others = ["/", "/index.html", f"{release}don-vi/31615.html", f"{release}phieu-trinh.html", "/none", "/view/",
              "/office/", "/x/945/2023-Q1/r12/report/index.html", "/945/2023-Q1/report/index.html"]  # fmt: skip
    for path, person in [*((path, "viewer") for path in others), ("/history/", "operator"), ("/ops/", "operator")]:
        found = office.headers(path, person)
        assert "frame-ancestors 'self'" in found.get_all("Content-Security-Policy", []), path
        assert found["X-Frame-Options"] in ("SAMEORIGIN", "DENY"), path


def test_operators_alone_see_runs_over_time(office: Office) -> None:
    status, page = office.ask("/history/", "operator")
    assert (status, "Lịch sử" in page) == (200, True)
    assert office.ask("/history/", "viewer")[0] == 401
    assert office.ask("/history/.runs.parquet.tmp", "operator")[0] == 404


def test_another_sites_page_starts_nothing_in_an_operators_name(office: Office) -> None:
    for origin, status in {"cross-site": 403, "same-site": 403, "same-origin": 200, "none": 200}.items():
        assert office.graphql("/ops", "operator", "{ version }", **{"Sec-Fetch-Site": origin})[0] == status


def test_a_backfill_waits_for_its_code_server_wherever_the_daemon_is_started() -> None:
    """By an environment variable that Dagster reads and does not document: gone from its code, it would say nothing."""
    name = "DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR"
    assert name in inspect.getsource(asset_backfill)
    places = (ui.__file__, DEPLOY / "Containerfile", DEPLOY / "systemd" / "cchc-.service.d" / "common.conf")
    for place in map(Path, places):
        assert re.search(rf'{name}("\] = "|=)1\b', place.read_text(encoding="utf-8")), place
