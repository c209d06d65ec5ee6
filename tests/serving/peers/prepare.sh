#!/usr/bin/env bash
# Puts each set of clients that does not install next to MLRun into an environment of its own, build/peers/<name>,
# from requirements/<name>.txt; does nothing where that is done already.
#   The servers that `make bench-serving` compares with, from requirements/bench: prepare.sh bench
#   Anew from the .in files: prepare.sh lock
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../../.. && pwd)
uv=$root/.venv/uv/bin/uv
python=$root/.venv/bin/python
failed=0

lock() {
    "$uv" pip compile "$1" --no-emit-index-url --no-header --no-annotate --universal --python-version 3.11.5 \
        --generate-hashes --quiet --output-file "${1%.in}.txt"
}

prepare() {
    local requirements=$1 environment=$root/build/peers/$2
    cmp -s "$requirements" "$environment/installed.txt" && return
    rm -rf "$environment"
    "$uv" venv --quiet --python "$python" "$environment"
    "$uv" pip sync --quiet --python "$environment/bin/python" --require-hashes "$requirements"
    cp "$requirements" "$environment/installed.txt"
}

folder=requirements
case "${1:-}" in
lock)
    for file in requirements/*.in requirements/bench/*.in; do lock "$file"; done
    exit
    ;;
bench) folder=requirements/bench ;;
esac
for file in "$folder"/*.txt; do
    name=$(basename "$file" .txt)
    prepare "$file" "$name" || { echo "peers: $name could not be prepared" >&2; failed=1; }
done
exit $failed
