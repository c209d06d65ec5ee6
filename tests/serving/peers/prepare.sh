#!/usr/bin/env bash
# Puts each set of clients that does not install next to MLRun into an environment of its own, build/peers/<name>,
# from requirements/<name>.txt; does nothing where that is done already.
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
    local requirements=requirements/$1.txt environment=$root/build/peers/$1
    cmp -s "$requirements" "$environment/installed.txt" && return
    rm -rf "$environment"
    "$uv" venv --quiet --python "$python" "$environment"
    "$uv" pip sync --quiet --python "$environment/bin/python" --require-hashes "$requirements"
    cp "$requirements" "$environment/installed.txt"
}

if [ "${1:-}" = lock ]; then
    for file in requirements/*.in; do lock "$file"; done
    exit
fi
for file in requirements/*.txt; do
    name=$(basename "$file" .txt)
    prepare "$name" || { echo "peers: $name could not be prepared" >&2; failed=1; }
done
exit $failed
