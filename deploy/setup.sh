#!/usr/bin/env bash
# Makes .venv at the root of the checkout, with the locked packages and `guanxi` in it.
set -euo pipefail
cd "$(dirname "$0")/.."
py="${PY:-python3}"

if ! "$py" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "setup: Python 3.11 or newer is needed (found: $("$py" --version 2>&1)). Name one: make PY=python3.12 setup" >&2
    exit 1
fi
if [ ! -x .venv/bin/python ]; then
    # Debian's python3 leaves venv to a package of its own.
    if ! "$py" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "setup: installing python3-venv with apt-get"
        if ! { apt-get update -qq && apt-get install -y -qq python3-venv; } >/dev/null; then
            echo "setup: cannot install it; by hand: sudo apt-get install python3-venv" >&2
            exit 1
        fi
    fi
    "$py" -m venv .venv
fi
[ -x .venv/bin/uv ] || .venv/bin/python -m pip install --quiet 'uv>=0.8'
echo "setup: installing the locked packages into .venv"
.venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r requirements.lock
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps -e .
touch .venv/.ready
