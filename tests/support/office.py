"""The office's page as a server of a test's own, and a visitor without a browser.

Belongs here: starting and asking it. Does not belong here: what it answers.
"""

from __future__ import annotations

import http.client
import re
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

from orchestration.office.app import server
from orchestration.settings import Settings


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Visit:
    """Somebody who asks, keeps the cookie, and follows where the page leads."""

    port: int
    headers: dict[str, str] = field(default_factory=dict)
    cookie: str = ""

    def ask(self, method: str, path: str, body: bytes = b"", follow: bool = True, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = {
            "Host": f"127.0.0.1:{self.port}",
            **self.headers,
            **{k.replace("_", "-"): v for k, v in headers.items()},
        }
        if self.cookie:
            sent["Cookie"] = self.cookie
        connection.request(method, path, body or None, sent)
        response = connection.getresponse()
        found = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        connection.close()
        if "set-cookie" in found.headers:
            self.cookie = found.headers["set-cookie"].partition(";")[0]
        if follow and found.status == 303:
            return self.ask("GET", found.headers["location"])
        return found

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", quote(path, safe="/?=&%#"), **headers)

    def post(
        self,
        path: str,
        fields: dict[str, str],
        file: tuple[str, bytes] | None = None,
        follow: bool = True,
        **more: str,
    ) -> Answer:
        mark = uuid.uuid4().hex
        parts = [f'--{mark}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
        body = "".join(parts).encode()
        if file is not None:
            head = f'--{mark}\r\nContent-Disposition: form-data; name="tep"; filename="{file[0]}"\r\n'
            body += head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + file[1] + b"\r\n"
        body += f"--{mark}--\r\n".encode()
        return self.ask("POST", path, body, follow, Content_Type=f"multipart/form-data; boundary={mark}", **more)

    def token(self, path: str) -> str:
        match = re.search(r'name="csrf" value="([0-9a-f]+)"', self.get(path).text)
        assert match, path
        return match[1]

    def send(self, place: str, source: str, name: str, data: bytes, what: str = "nop", **more: str) -> Answer:
        """Delivers (or tries: ``what`` "thu") a file for ``quarter/unit``."""
        fields = {"csrf": self.token(f"/don-vi/{place}"), "nguon": source, "viec": what}
        return self.post(f"/don-vi/{place}/tep", fields, (name, data), **more)


@contextmanager
def serving(settings: Settings, path_prefix: str = "") -> Iterator[int]:
    """The page over a home, at a port of this machine, for as long as it is entered."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    made = server(settings, "127.0.0.1", port, path_prefix)
    thread = threading.Thread(target=made.run, daemon=True)
    thread.start()
    end = time.monotonic() + 30
    while not made.started:
        assert time.monotonic() < end
        time.sleep(0.02)
    try:
        yield port
    finally:
        made.should_exit = True
        thread.join(timeout=20)
