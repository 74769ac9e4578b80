#!/bin/sh
# Installs or updates the service on this host: install.sh WHEEL. Run as root, as often as one likes.
# Needs Debian's python3-venv, and the packages of requirements.lock beside the wheel: from pip's registry, or from
# a folder of them named in PIP_FIND_LINKS with PIP_NO_INDEX=1.
# With DESTDIR set, only files are laid there: no accounts, no environment, nothing is started.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
wheel=${1:?usage: install.sh WHEEL}
root=${DESTDIR:-}
venv=/opt/cchc

say() { printf 'install: %s\n' "$*"; }

lay() { # lay MODE FILE TARGET: where it differs
    if cmp -s "$2" "$root$3"; then
        say "unchanged  $3"
    else
        install -D -m "$1" "$2" "$root$3"
        say "written    $3"
    fi
}

lay_once() { # lay_once MODE FILE TARGET: never over what somebody has set
    if [ -e "$root$3" ]; then
        say "kept       $3"
    else
        install -D -m "$1" "$2" "$root$3"
        say "written    $3"
    fi
}

[ -f "$wheel" ] || { say "no such wheel: $wheel" >&2; exit 2; }
lock=$(dirname -- "$wheel")/requirements.lock
[ -f "$lock" ] || { say "no requirements.lock beside the wheel; 'make wheel' writes both" >&2; exit 2; }
[ -n "$root" ] || [ "$(id -u)" -eq 0 ] || { say "run as root" >&2; exit 2; }

for unit in "$here"/systemd/*.service; do lay 644 "$unit" "/etc/systemd/system/$(basename "$unit")"; done
lay 644 "$here/systemd/cchc-.service.d/common.conf" /etc/systemd/system/cchc-.service.d/common.conf
lay 644 "$here/sysusers.d/cchc.conf" /etc/sysusers.d/cchc.conf
lay 644 "$here/tmpfiles.d/cchc.conf" /etc/tmpfiles.d/cchc.conf
lay 644 "$here/logrotate.d/cchc" /etc/logrotate.d/cchc
lay 644 "$here/nginx/cchc.conf" /etc/nginx/sites-available/cchc.conf
lay 755 "$here/cchc" /usr/local/bin/cchc
lay_once 640 "$here/cchc.toml.example" /etc/cchc/cchc.toml

if [ -n "$root" ]; then
    say "DESTDIR is set: no accounts, no environment, nothing started"
    exit 0
fi

systemd-sysusers /etc/sysusers.d/cchc.conf
systemd-tmpfiles --create /etc/tmpfiles.d/cchc.conf
chown root:cchc /etc/cchc/cchc.toml
for list in viewers operators; do
    [ -e "/etc/cchc/$list.htpasswd" ] || install -m 640 /dev/null "/etc/cchc/$list.htpasswd"
done
if getent passwd www-data >/dev/null; then
    usermod --append --groups cchc-readers www-data
    chgrp www-data /etc/cchc/*.htpasswd
fi
say "accounts and folders are there"

if ! [ -x "$venv/bin/pip" ]; then
    python3 -m venv "$venv"
    say "made       $venv"
fi
"$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$lock"
install -m 644 "$lock" "$venv/requirements.lock" # cchc doctor compares
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-index --no-deps --force-reinstall "$wheel"
# Nobody may write here later, so what is compiled is compiled now.
"$venv/bin/python" -m compileall -q "$venv/lib" >/dev/null || true
say "installed  $(basename "$wheel") in $venv"

if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
    systemctl enable --quiet cchc-daemon cchc-web cchc-view cchc-office
    systemctl restart cchc-daemon cchc-web cchc-view cchc-office
    say "started    cchc-daemon cchc-web cchc-view cchc-office"
else
    say "systemd does not run here: nothing started"
fi
