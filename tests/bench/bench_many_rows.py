"""Whether the record path is as fast after ten million rows as at the beginning.

Half of the records bring the truth of a row a hundred rows before, and files are merged as they are at the defaults.
Each figure is the best of five blocks of 50,000 rows, CPU time of this process; what stands in the stores is said too.
Ten million take a quarter of an hour. Run: python tests/bench/bench_many_rows.py [ROWS]
"""

import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench_record_path import ENDPOINT, FEATURES, LATER, TARGETS, _feedback, _prediction, cpu_seconds, profile

from leeway.backends import connect
from leeway.clock import SystemClock
from leeway.interfaces import Message
from leeway.record import Record, encode
from leeway.settings import Settings
from monitoring.compaction import compact
from monitoring.consumer import Consumer

ROWS, BLOCK, BEST_OF, RATE = 10_000_000, 50_000, 5, 20_000
BEGIN = 1_700_006_400


def blocks(rows: int) -> Iterator[list[Message]]:
    """So many rows, a block at a time, all of one stream."""
    draw, seq, offset, truths = random.Random(3), 0, 0, {}
    for start in range(0, rows, BLOCK):
        records: list[Record] = []
        for i in range(start, start + BLOCK):
            row = [draw.random() for _ in FEATURES]
            truths[i] = int(row[0] > 0.5) ^ (draw.random() < 0.1)
            seq += 1
            records.append(_prediction(i, row, seq, draw))
            if i >= LATER:
                seq += 1
                records.append(_feedback(i - LATER, truths.pop(i - LATER), seq))
        yield [Message(0, offset + k, BEGIN + start // RATE, "", encode(each)) for k, each in enumerate(records)]
        offset += len(records)


def main() -> int:
    """Print the figures; 1 where the last ones miss the target."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        state, shared = connect.state(settings, "bench"), connect.state(settings, "shared")
        series, archive = connect.series(settings), connect.archive(settings)
        shared.commit({f"profile/{ENDPOINT}": profile()})
        made = (settings, state, shared, series, archive, SystemClock(), lambda incident: None)
        consumer, rates = Consumer("bench", 0, *made), []
        for number, block in enumerate(blocks(rows)):
            rates.append(BLOCK / cpu_seconds(lambda block=block: consumer.consume(block)))
            compact(archive, [consumer.prefix])
            if number % 20 == 19:
                print(f"  {(number + 1) * BLOCK:,} rows: {max(rates[-5:]):,.0f} rows/s", file=sys.stderr, flush=True)
        sizes = {path.name: size_mb(path) for path in sorted(Path(folder).iterdir())}
        for store in (state, shared, series):
            store.close()
    first, last, target = max(rates[1 : 1 + BEST_OF]), max(rates[-BEST_OF:]), TARGETS["labelled"]
    print(f"labelled rows/s: {first:,.0f} at the beginning, {last:,.0f} after {rows:,} rows (target {target:,})")
    print("MB: " + ", ".join(f"{name} {size:,.0f}" for name, size in sizes.items()))
    return int(last < target)


def size_mb(path: Path) -> float:
    return sum(file.stat().st_size for file in (path, *path.rglob("*")) if file.is_file()) / 1e6


if __name__ == "__main__":
    sys.exit(main())
