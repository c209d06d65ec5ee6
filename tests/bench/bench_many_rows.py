"""Whether the record path is as fast after ten million rows as at the beginning.

Ten million labelled rows, a hundred a record, go the real way into one home, whose files are merged as they are at the
defaults. Then blocks of rows, one a record, go in turn into that home and into one that holds a single block, so that
how fast the machine is at the moment shows in neither. Each figure is the best of so many blocks of 20,000 rows, CPU
time of this process, beside the calibration loop; what merging took and what stands in the stores is said too.
Ten million take some six minutes of CPU. Run: python tests/bench/bench_many_rows.py [ROWS]
"""

import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench_record_path import (
    ENDPOINT,
    FEATURES,
    LATER,
    TARGETS,
    _feedback,
    _prediction,
    calibrate,
    cpu_seconds,
    profile,
)
from msgspec.structs import replace

from leeway.backends import connect
from leeway.clock import SystemClock
from leeway.interfaces import Message
from leeway.record import Record, encode
from leeway.settings import Settings
from monitoring.compaction import compact
from monitoring.consumer import Consumer

ROWS, BLOCK, BEST_OF, RATE = 10_000_000, 20_000, 7, 20_000
FILLED, PACKED = 200_000, 100  # rows of a block that fills, and of each of its records
BEGIN = 1_700_006_400
LEAST = 0.9  # of the rate of an empty home
_TAG = b"-7000-8000-"  # in each id of a block, and in its outbox's


class Home:
    """Stores, their consumer, and the end of their stream."""

    def __init__(self, folder: Path, known: bytes):
        settings = Settings(home=folder)
        self.folder, self.rows, self.merging_s = folder, 0, 0.0
        self.archive = connect.archive(settings)
        state, shared, series = (
            connect.state(settings, "bench"),
            connect.state(settings, "shared"),
            connect.series(settings),
        )
        shared.commit({f"profile/{ENDPOINT}": known})
        self._stores = (state, shared, series)
        parts = (settings, state, shared, series, self.archive, SystemClock(), lambda incident: None)
        self.consumer = Consumer("bench", 0, *parts)
        self._blocks = 0

    def take(self, block: list[bytes], rows: int = BLOCK) -> float:
        """Rows a second for one more block of so many."""
        first, clock = self.consumer.position, BEGIN + self.rows // RATE
        tag = b"-7%03d-8000-" % self._blocks
        stream = [Message(0, first + i, clock, "", value.replace(_TAG, tag)) for i, value in enumerate(block)]
        seconds = cpu_seconds(lambda: self.consumer.consume(stream))
        self.merging_s += cpu_seconds(lambda: compact(self.archive, [self.consumer.prefix]))
        self.rows, self._blocks = self.rows + rows, self._blocks + 1
        return rows / seconds

    def sizes_mb(self) -> dict[str, float]:
        return {path.name: size_mb(path) for path in sorted(self.folder.iterdir())}

    def close(self) -> None:
        for store in self._stores:
            store.close()


@contextmanager
def home(known: bytes) -> Iterator[Home]:
    with tempfile.TemporaryDirectory() as folder:
        made = Home(Path(folder), known)
        yield made
        made.close()


def block(labelled: bool) -> list[bytes]:
    """A record per row, and where it is wanted the truth of the row a hundred rows before."""
    draw, truths = random.Random(3), []
    records: list[Record] = []
    for i in range(BLOCK):
        row = [draw.random() for _ in FEATURES]
        truths.append(int(row[0] > 0.5) ^ (draw.random() < 0.1))
        records.append(_prediction(i, row, len(records) + 1, draw))
        if labelled and i >= LATER:
            records.append(_feedback(i - LATER, truths[i - LATER], len(records) + 1))
    return [encode(record) for record in records]


def packed_block() -> list[bytes]:
    """Records of many rows, each followed by its truth."""
    draw = random.Random(4)
    records: list[Record] = []
    for i in range(FILLED // PACKED):
        rows = [[draw.random() for _ in FEATURES] for _ in range(PACKED)]
        outputs = [int(row[0] > 0.5) for row in rows]
        truth = [output ^ (draw.random() < 0.1) for output in outputs]
        told, at = _prediction(i, rows[0], len(records) + 1, draw), len(records) + 2
        resp = replace(told.resp, outputs=outputs, probabilities=told.resp.probabilities * PACKED)
        records.append(replace(told, request=replace(told.request, inputs=rows), resp=resp))
        back = _feedback(i, 0, at)
        records.append(replace(back, request=replace(back.request, truth=truth)))
    return [encode(record) for record in records]


def size_mb(path: Path) -> float:
    return sum(file.stat().st_size for file in (path, *path.rglob("*")) if file.is_file()) / 1e6


def main() -> int:
    """Print the figures; 1 where the full home is slower than the empty one."""
    rows, known = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS, profile()
    kinds = {kind: block(kind == "labelled") for kind in TARGETS}
    with home(known) as full, home(known) as empty:
        empty.take(kinds["labelled"])
        filling = packed_block()
        while full.rows < rows:
            rate = full.take(filling, FILLED)
            if full.rows % 1_000_000 == 0:
                print(f"  {full.rows:,} rows: {rate:,.0f} rows/s", file=sys.stderr, flush=True)
        slower = [kind for kind in TARGETS if not _compare(kind, kinds[kind], full, empty)]
        print(f"merging: {full.merging_s / full.rows * 1e6:.1f} us a row")
        print("MB: " + ", ".join(f"{name} {size:,.0f}" for name, size in full.sizes_mb().items()))
    return int(bool(slower))


def _compare(kind: str, rows: list[bytes], full: Home, empty: Home) -> bool:
    """Print both rates; whether they are about the same."""
    after, pairs = full.rows, [(full.take(rows), empty.take(rows), calibrate()) for _ in range(BEST_OF)]
    late, early, loop_s = max(each[0] for each in pairs), max(each[1] for each in pairs), min(each[2] for each in pairs)
    print(
        f"{kind:>12}: {late:,.0f} rows/s after {after:,} rows, {early:,.0f} in an empty home: {late / early:.2f} of it "
        f"(target {TARGETS[kind]:,} rows/s; calibration loop {loop_s * 1e3:.0f} ms)"
    )
    return late >= LEAST * early


if __name__ == "__main__":
    sys.exit(main())
