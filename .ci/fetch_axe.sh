#!/bin/sh
# Fetches axe-core, which looks at pages for what keeps people out of them, into build/axe-core; nothing where it is there.
set -eu
cd "$(dirname "$0")/.."
version=4.14.1
sum=29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c
file=build/axe-core/package/axe.min.js
is_right() { [ -f "$file" ] && echo "$sum  $file" | sha256sum --check --status; }
is_right && exit 0
mkdir -p build/axe-core
cd build/axe-core
npm pack --silent "axe-core@$version" >/dev/null
tar -xzf "axe-core-$version.tgz" package/axe.min.js package/LICENSE
cd ../..
is_right || { echo "axe-core $version is not the file that was expected: $(sha256sum "$file")" >&2; exit 1; }
