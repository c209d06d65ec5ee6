"""Writes to the store of KIND (state, series, archive) until it is killed: what belongs together has one number."""

import sys
from itertools import count

import pyarrow as pa

from leeway.backends import connect
from leeway.interfaces import Point
from leeway.settings import Settings

PARTS = 300


def to_state(settings):
    state = connect.state(settings, "shared")
    return lambda number: state.commit({f"part/{i}": b"%d" % number for i in range(PARTS)})


def to_series(settings):
    series = connect.series(settings)
    return lambda number: series.write(
        Point(series="rows", endpoint="e", bucket=i % 3, range=f"{number}", count=1, feature=f"{i % 2}")
        for i in range(PARTS)
    )


def to_archive(settings):
    archive = connect.archive(settings)
    at = {"shard": [0] * PARTS, "offset": range(PARTS), "index": [0] * PARTS}
    return lambda number: archive.write(
        "note", "p/f/d", "2026-11-24", f"f{number % 3}", pa.table({**at, "x": [number] * PARTS})
    )


write = {"state": to_state, "series": to_series, "archive": to_archive}[sys.argv[1]](Settings.read())
for number in count(1):
    write(number)
