"""Holds ``requirements.lock`` against known vulnerabilities: ``audit.py [FOLDER]``; ends with 1 where there is one.

FOLDER holds advisories as OSV JSON files, one each, as the public database of Python's packages exports them; without
it, pip-audit asks its own service. Where neither can be had, a notice says so and nothing is audited.

Belongs here: asking about what is locked. Does not belong here: which packages are (``make lock``).
pip-audit reads no folder, but asks whatever address it is given; so one of this machine answers from the folder.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parents[1]
_UNREACHED = ("Could not connect", "ConnectionError", "Max retries exceeded", "Name or service not known", "ProxyError")


def affects(advisory: dict[str, Any], name: str, version: str) -> bool:
    """Whether an advisory is about this version of a package, by its list of versions or its ranges."""
    for affected in advisory.get("affected", []):
        package = affected.get("package", {})
        if package.get("ecosystem") != "PyPI" or canonicalize_name(package.get("name", "")) != canonicalize_name(name):
            continue
        if version in affected.get("versions", []) or any(
            _in_range(found.get("events", []), version)
            for found in affected.get("ranges", [])
            if found.get("type") == "ECOSYSTEM"
        ):
            return True
    return False


def _in_range(events: list[dict[str, str]], version: str) -> bool:
    """Whether the last event up to the version says that it is affected; a version that cannot be told is."""
    try:
        marks = sorted(
            (Version(at), kind == "last_affected", kind == "introduced")
            for event in events
            for kind, at in event.items()
            if kind in ("introduced", "fixed", "last_affected")
        )
        mine = Version(version)
    except InvalidVersion:
        return True
    state = False
    for at, is_last, opens in marks:
        if at < mine or (at == mine and not is_last):
            state = opens
    return state


def advisories(folder: Path) -> Iterator[dict[str, Any]]:
    """Every advisory of the folder. Raises ``ValueError`` for a file that is none."""
    for path in sorted(folder.rglob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(document, dict) or "id" not in document:
            raise ValueError(f"not an advisory: {path}")
        yield document


def answering(found: list[dict[str, Any]]) -> ThreadingHTTPServer:
    """A server of this machine that answers pip-audit's questions from the advisories."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name, version = asked["package"]["name"], asked["version"]
            vulns = [advisory for advisory in found if affects(advisory, name, version)]
            body = json.dumps({"vulns": vulns} if vulns else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def audit(lock: Path, service: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip_audit", "-r", str(lock), "--require-hashes", "--disable-pip"]
    return subprocess.run([*command, "--progress-spinner", "off", *service], capture_output=True, text=True)


def main(words: list[str]) -> int:
    folder = Path(words[0]) if words else None
    if folder is None:
        done = audit(ROOT / "requirements.lock", [])
        if done.returncode and any(sign in done.stderr for sign in _UNREACHED):
            print("audit: skipped, the service of advisories cannot be reached; give a folder: make audit ADVISORIES=…")
            return 0
    else:
        found = list(advisories(folder)) if folder.is_dir() else []
        if not found:
            print(f"audit: skipped, no advisories in {folder}")
            return 0
        print(f"audit: {len(found)} advisories of {folder}")
        with answering(found) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            done = audit(
                ROOT / "requirements.lock", ["-s", "osv", "--osv-url", f"http://127.0.0.1:{server.server_port}"]
            )
            server.shutdown()
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
