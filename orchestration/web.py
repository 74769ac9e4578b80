"""Dagster's web server alone: ``python -m orchestration.web -h ADDRESS -p PORT …``, options as dagster-webserver's.

Belongs here: on which addresses it may listen. Does not belong here: keeping it going (``ui``, ``deploy/systemd``).
Dagster asks nobody who they are, and whoever reaches it reads case records and starts runs. So it listens on this
machine only, unless the setting ``proxy_login`` says that a proxy with a login stands before it.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from orchestration.cli.terminal import complain
from orchestration.settings import Settings, load_settings

LOOPBACK = "127.0.0.1"


def why_not(settings: Settings, host: str) -> str | None:
    """Why the server may not listen on an address, or None: every address that the name stands for is asked about."""
    if settings.proxy_login or _is_loopback(host):
        return None
    return (
        f"không mở trang ở địa chỉ {host or '(trống)'}: trang không hỏi đăng nhập, ai tới được đều đọc được hồ sơ, "
        f"nộp tệp và chạy được. Dùng {LOOPBACK}, hoặc đặt proxy_login = true khi đã có máy chủ ủy quyền hỏi đăng nhập "
        "đứng trước (docs/deploy.md)"
    )


def _is_loopback(host: str) -> bool:
    if not host:  # all addresses of the machine
        return False
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    return all(ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback for *_, address in found)


def main(words: Sequence[str]) -> int:
    """Becomes dagster-webserver; returns 2 where it may not."""
    options = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    # Dagster takes the address from this variable too.
    host = os.environ.get("DAGSTER_WEBSERVER_HOST", LOOPBACK)
    options.add_argument("-h", "--host", default=host)
    asked, others = options.parse_known_args(list(words))
    why = why_not(load_settings(), asked.host)
    if why is None:
        server = Path(sys.executable).with_name("dagster-webserver")
        os.execv(server, [str(server), "--host", asked.host, *others])
    complain(str(why))
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
