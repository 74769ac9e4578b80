"""Servers on this machine that take alerts: one for mail, one for webhooks, each with a switch that turns it off.

Belongs here: real sockets, and what came through them. Does not belong here: what should have come.
"""

from __future__ import annotations

import email
import email.policy
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

PASSWORD = "mat-khau-9x7"


@dataclass
class Mailbox:
    """What a mail server took. ``url`` is its address for Apprise, with a password."""

    url: str
    messages: list[EmailMessage] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.messages.append(message)
        return "250 OK"

    def texts(self) -> list[str]:
        return [str(part.get_content()) for m in self.messages if (part := m.get_body(("plain", "html")))]


def _authenticated(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    known = isinstance(data, LoginPassword) and data.password == PASSWORD.encode()
    return AuthResult(success=known)


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """A mail server that asks for ``PASSWORD``."""
    port = _free_port()
    box = Mailbox(f"mailto://canbo:{PASSWORD}@127.0.0.1:{port}?from=cchc@example.org&to=vanthu@example.org")
    server = Controller(
        box, hostname="127.0.0.1", port=port, authenticator=_authenticated, auth_required=True, auth_require_tls=False
    )
    server.start()
    try:
        yield box
    finally:
        server.stop()


@dataclass
class Hook:
    """What a webhook took. While ``down`` it answers that it is unavailable."""

    port: int = 0
    secret: str = "khoa-bi-mat-3f"
    down: bool = False
    asked: int = 0
    taken: list[dict[str, Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.port}/{self.secret}"

    def titles(self) -> list[str]:
        return [message["title"] for message in self.taken]


@contextmanager
def webhook() -> Iterator[Hook]:
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            hook.asked += 1
            if not hook.down:
                hook.taken.append(json.loads(content))
            self.send_response(503 if hook.down else 200)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield hook
        finally:
            server.shutdown()
            thread.join()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
