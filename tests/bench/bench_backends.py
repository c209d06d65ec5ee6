"""What each backend takes and answers, the embedded default beside the engines, on this machine.

Streams: records of 774 bytes a second, in and out, 500 to an append. Series: points a second in writes of 5,000 (100
lines, one in ten with a histogram), then a dashboard's queries on all of them. State: commits a second by
compare-and-set, 10 kB each. Archive: rows a second in files of 5,000 rows and 12 columns, and all of them read back.
Wall time, as engines work in processes of their own; PostgreSQL and Kafka sync as they do by default. Medians of five
for queries. What has a star is a double of a service, or a TimescaleDB of one process: it says what the client costs,
of fewer records and points. Exits with 1 where a page of the dashboard, which has 300 ms, could not ask all of it.
Run: make bench-backends, or python tests/bench/bench_backends.py --points 1000000
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parents[2]))

from leeway.backends import connect
from leeway.interfaces import Point
from leeway.settings import Settings
from tests.engines.frames_double import FramesDouble
from tests.engines.kafka_broker import KafkaBroker
from tests.engines.postgres_server import PostgresServer
from tests.engines.s3_server import S3Server
from tests.engines.timescale_server import TimescaleServer
from tests.engines.v3io_double import V3ioDouble

LINES, STEP_S, WRITTEN, BEGAN = 100, 10, 5_000, 1_700_006_400
RECORD = os.urandom(387).hex().encode()
PAGE_MS = 300
FEW_RECORDS, FEW_POINTS = 20_000, 100_000


def title(text: str, *columns: str) -> None:
    print(f"\n{text}\n  {'':12}" + "".join(f"{each:>18}" for each in columns))


def line(name: str, *figures: str) -> None:
    print(f"  {name:12}" + "".join(f"{each:>18}" for each in figures), flush=True)


def seconds(act: Callable[[], Any]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def median_ms(act: Callable[[], Any]) -> float:
    return 1_000 * statistics.median(seconds(act) for _ in range(5))


def bench_stream(name: str, url: str, settings: Settings, records: int) -> None:
    with closing(connect.stream(url, settings)) as stream:
        chunk = [("shop/server/elec", RECORD)] * 500
        stream.append(chunk)
        taken = seconds(lambda: [stream.append(chunk) for _ in range(records // 500)])
        one = median_ms(lambda: stream.append(chunk[:1]))

        def read() -> None:
            offset, end = stream.bounds(0)
            while offset < end:
                offset = stream.read(0, offset, 1_000)[-1].offset + 1

        out = seconds(read)
    line(name, f"{records / taken:,.0f}", f"{records / out:,.0f}", f"{one:.2f} ms")


def points(count: int) -> Iterator[list[Point]]:
    """`LINES` series of one point every ten seconds, in the order of time."""
    histogram = {i: i + 1 for i in range(8)}
    chunk: list[Point] = []
    for i in range(count):
        at, bucket = i % LINES, BEGAN + i // LINES * STEP_S
        chunk.append(
            Point(
                series="rows" if at % 10 else "latency", endpoint=f"e{at}", bucket=bucket, range=f"r{bucket}",
                count=100, total=float(i % 977), low=0.0, high=1.0, histogram={} if at % 10 else histogram,
            )
        )  # fmt: skip
        if len(chunk) == WRITTEN:
            yield chunk
            chunk = []


def bench_series(name: str, settings: Settings, count: int) -> bool:
    """Whether a page could ask all of it."""
    with closing(connect.series(settings)) as series:
        made = busy = 0.0
        for chunk in points(count):
            busy += seconds(lambda chunk=chunk: series.write(chunk))
            made += len(chunk)
        if settings.v3io_framesd:  # its double looks through everything for each query
            line(name, f"{made / busy:,.0f}", f"{count:,}")
            return True
        end = BEGAN + count // LINES * STEP_S
        hour = median_ms(lambda: series.read("rows", "e1", end - 3_600, end, 10))
        day = median_ms(lambda: series.read("rows", "e1", end - 86_400, end, 300))
        buckets = median_ms(lambda: series.read("latency", "e0", end - 86_400, end, 300))
        every = median_ms(lambda: [series.read("rows", f"e{i}", end - 3_600, end, 60) for i in range(1, 10)])
    asked = (hour, day, buckets, every)
    fits = sum(asked) <= PAGE_MS
    judged = "" if name.endswith("*") else " fits" if fits else " TOO LONG"
    line(
        name, f"{made / busy:,.0f}", f"{count:,}", *(f"{each:.1f} ms" for each in asked), f"{sum(asked):.0f} ms{judged}"
    )
    return fits


def bench_state(name: str, settings: Settings) -> None:
    with closing(connect.state(settings, "bench")) as state:
        value, known = os.urandom(10_000), [None]

        def commit() -> None:
            position = os.urandom(8)
            state.commit({"position": position, "detector": value}, expect={"position": known[0]})
            known[0] = position

        taken = seconds(lambda: [commit() for _ in range(500)])
    line(name, f"{500 / taken:,.0f}")


def bench_archive(name: str, settings: Settings) -> None:
    archive, rng, n = connect.archive(settings), np.random.default_rng(1), 5_000
    columns = {f"x_{i}": rng.random(n) for i in range(8)}

    def write(file: int) -> None:
        at = {"shard": [0] * n, "offset": range(file * n, file * n + n), "index": [0] * n, "row": [0] * n}
        archive.write("prediction", "shop/server/elec", "2026-11-24", f"f{file:04d}", pa.table({**at, **columns}))

    write(0)
    taken = seconds(lambda: [write(i) for i in range(20)])
    out = seconds(lambda: archive.read("prediction", columns=["x_0"]))
    line(name, f"{20 * n / taken:,.0f}", f"{1_000 * out:.0f} ms")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=10_000_000)
    parser.add_argument("--records", type=int, default=100_000)
    given = parser.parse_args()
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        kafka, postgres, s3 = KafkaBroker(), PostgresServer("-cmax_wal_size=4GB"), S3Server()
        timescale = TimescaleServer()
        for server in (kafka, postgres, s3, timescale):
            stack.callback(server.remove)
            server.start()
        double, frames = V3ioDouble(), FramesDouble("x")
        for each in (double, frames):
            stack.callback(each.stop)
        here, few = Settings(home=home), min(given.points, FEW_POINTS)
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; the first of each is the embedded default")
        title(f"streams, {given.records:,} records of {len(RECORD)} bytes", "records/s in", "out", "one record in")
        bench_stream("embedded", "bench", here, given.records)
        bench_stream("kafka", f"{kafka.url}/bench", here, given.records)
        v3io = Settings(home=home, v3io_api=double.url, v3io_access_key="x")
        bench_stream("v3io *", "v3io:///users/bench", v3io, min(given.records, FEW_RECORDS))
        title("state, by compare-and-set, 10 kB each", "commits/s")
        bench_state("sqlite", here)
        bench_state("postgres", Settings(home=home, state=postgres.url))
        title("archive, files of 5,000 rows", "rows/s in", "100,000 rows out")
        bench_archive("folder", here)
        bench_archive("s3", Settings(home=home, archive=s3.url("bench")))
        title(
            f"series, and the queries of a page of the dashboard, which has {PAGE_MS} ms", "points/s in", "points",
            "hour by 10 s", "day by 5 min", "day of histograms", "hour of 9 series", "together",
        )  # fmt: skip
        fit = bench_series("sqlite", here, given.points)
        fit &= bench_series("postgres", Settings(home=home, series=postgres.url), given.points)
        bench_series("timescale *", Settings(home=home, series=timescale.url), few)
        tsdb = Settings(home=home, series="v3io:///users/bench", v3io_framesd=frames.url, v3io_access_key="x")
        bench_series("v3io *", tsdb, few)
        print("\n* says what the client costs: a double of V3IO's services here, a TimescaleDB of one process")
    return 0 if fit else 1


if __name__ == "__main__":
    sys.exit(main())
