#!/bin/sh
# Creates .venv from requirements.lock and puts the project into it; does nothing where that is done already.
# PYTHON names the interpreter to use. Progress goes to stderr; what went wrong, in one line, to stdout.
set -u
cd "$(dirname "$0")/.." || exit 1

say() { printf 'leeway: %s\n' "$1" >&2; }
fail() {
    printf 'leeway: %s\n' "$1"
    exit 1
}

case "$(uname -s)" in
Linux | Darwin) ;;
*) fail "$(uname -s) is not supported: use Linux or macOS (on Windows: inside WSL)" ;;
esac

is_current() {
    [ -x .venv/bin/leeway ] && cmp -s requirements.lock .venv/installed.lock && cmp -s pyproject.toml .venv/installed.toml &&
        [ "$(cat .venv/installed.path 2>/dev/null)" = "$(pwd)" ] && .venv/bin/python -c '' 2>/dev/null
}
is_current && exit 0

unwritable="$(pwd) cannot be written: give yourself write access to it, or clone the project into a folder of your own"
[ -w . ] || fail "$unwritable"

suits() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11, 5) <= sys.version_info < (3, 12))' 2>/dev/null
}
found=
for candidate in "${PYTHON:-python3.11}" python3 python; do
    if command -v "$candidate" >/dev/null 2>&1 && suits "$candidate"; then
        found=$candidate
        break
    fi
done
[ -n "$found" ] || fail "no python3.11 (3.11.5 or later, with venv) was found: install it (Debian: apt-get install python3.11 python3.11-venv; macOS: brew install python@3.11) or name it: make PYTHON=/path/to/python3.11"

{ mkdir -p .venv && : >.venv/install.log; } 2>/dev/null || fail "$unwritable"
rm -f .venv/installed.*

step() {
    "$@" >>.venv/install.log 2>&1
}
give_up() {
    if grep -qiE 'connection|network|name resolution|resolve host|timed out|dns error|error sending request|proxyerror' .venv/install.log; then
        fail "the packages cannot be fetched, the package index does not answer: check the network (or pip's proxy settings) and run it again; details: .venv/install.log"
    fi
    fail "$1 failed ($(grep -v '^ *$' .venv/install.log | tail -n 1)); details: .venv/install.log"
}

say "creating .venv with $("$found" -V)"
step "$found" -m venv .venv || give_up "python -m venv"

# uv is several times as fast as pip, and kept apart from what it installs.
uv=.venv/uv/bin/uv
if [ ! -x "$uv" ]; then
    say "fetching the installer"
    step "$found" -m venv .venv/uv && step .venv/uv/bin/python -m pip install --quiet --retries 1 'uv>=0.9,<1' || uv=
fi
say "installing $(grep -c '^[a-zA-Z0-9]' requirements.lock) packages from requirements.lock"
if [ -n "$uv" ] && step "$uv" pip sync --python .venv/bin/python --require-hashes requirements.lock; then
    step "$uv" pip install --python .venv/bin/python --no-deps --no-build-isolation -e . || give_up "installing the project"
else
    step .venv/bin/python -m pip install --retries 1 --no-deps --require-hashes --no-compile -r requirements.lock ||
        give_up "installing the packages"
    step .venv/bin/python -m pip install --no-index --no-deps --no-build-isolation --no-compile -e . || give_up "installing the project"
fi
cp requirements.lock .venv/installed.lock
cp pyproject.toml .venv/installed.toml
pwd >.venv/installed.path
say "installed"
