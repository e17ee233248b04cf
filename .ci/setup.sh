#!/usr/bin/env bash
# Makes the virtual environment $1 with everything pinned by hash. As root on Debian it installs what the system lacks;
# elsewhere it says what is missing and stops.
set -euo pipefail
venv=$1

need() { # need COMMAND DEBIAN-PACKAGE WHY
    command -v "$1" >/dev/null && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        missing+=("$2")
    else
        echo "missing: $1 ($3). Install it (Debian: apt-get install $2) and try again." >&2
        exit 14
    fi
}

missing=()
need python3 python3 "the language of this product, 3.11 or later"
need strace strace "the crash rig injects faults with it"
if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then need no-such-command python3-venv "virtual environments"; fi
if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${missing[*]} ..."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "python3 is older than 3.11" >&2; exit 14; }

[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
echo "installing the pinned packages into $venv ..."
"$venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
"$venv/bin/python" -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
