#!/bin/sh
# Accounts by which units deliver: landing-accounts.sh CODE... makes for each unit the account cchc-CODE, which may use
# SFTP and nothing else, and its folder /srv/cchc/landing/CODE. Run as root, as often as one likes.
# Public keys go to /etc/ssh/cchc-keys/cchc-CODE, one a line, as the unit's office hands them over; no passwords.
set -eu

landing=/srv/cchc/landing
sshd=/etc/ssh/sshd_config.d/cchc.conf
keys=/etc/ssh/cchc-keys

say() { printf 'landing: %s\n' "$*"; }

[ $# -gt 0 ] || { say "usage: landing-accounts.sh CODE..." >&2; exit 2; }
for code in "$@"; do
    case $code in
        '' | *[!0-9A-Za-z_-]*) say "no code of a unit: '$code'" >&2; exit 2 ;;
    esac
done
[ "$(id -u)" -eq 0 ] || { say "run as root" >&2; exit 2; }

# All are shut into the folder of landing, where each can enter its own and see no other. What an account delivers
# belongs to it and to the service's group, so that the service may read it, and delete it when its time is up. Programs
# that copy their own modes and times on what they deliver would undo that, so they are refused it.
install -d -m 755 "$(dirname "$sshd")" "$keys"
cat >"$sshd.new" <<END
# Written by landing-accounts.sh; edits are overwritten.
Match Group cchc-landing
    ChrootDirectory $landing
    ForceCommand internal-sftp -u 0007 -P setstat,fsetstat,lsetstat,symlink,hardlink
    AuthorizedKeysFile $keys/%u
    AuthenticationMethods publickey
    DisableForwarding yes
    PermitTTY no
END
if cmp -s "$sshd.new" "$sshd"; then
    rm "$sshd.new"
else
    mv "$sshd.new" "$sshd"
    say "written    $sshd; reload the SSH server"
fi

for code in "$@"; do
    account=cchc-$code
    if ! getent passwd "$account" >/dev/null; then
        # The home is what it is inside: the session begins there.
        useradd --system --no-create-home --home-dir "/$code" --shell /usr/sbin/nologin \
            --user-group --groups cchc-landing "$account"
        say "made       account $account"
    fi
    if ! [ -d "$landing/$code" ]; then
        install -d "$landing/$code"
        say "made       $landing/$code"
    fi
    # By it the service can give the unit's outbox to the unit's group (outbox_group).
    usermod --append --groups "$account" cchc
    chown "$account:cchc" "$landing/$code"
    chmod 2770 "$landing/$code"
    if ! [ -e "$keys/$account" ]; then
        install -m 644 /dev/null "$keys/$account"
        say "made       $keys/$account, empty: put the unit's public keys there"
    fi
done
