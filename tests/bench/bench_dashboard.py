"""How fast the dashboard answers over a store of ten million points, and what ten viewers cost the record path.

A week of one endpoint by the second, in several ranges a second's worth of series; two million predictions and the
truth of half of them in the archive; embedded stores, one core. Run:
python tests/bench/bench_dashboard.py [points in millions, 10 unless given] [rows in millions, 2 unless given]
"""

import asyncio
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qsl

from bench_record_path import ENDPOINT, FEATURES, messages, profile
from fill_archive import KEY, SHADOW, fill_archive

from leeway.backends import connect
from leeway.backends.sqlite_database import SqliteDatabase
from leeway.clock import ManualClock, SystemClock
from leeway.interfaces import Point
from leeway.settings import Settings
from monitoring.consumer import Consumer
from monitoring.packing import pack
from monitoring.pages.app import create_app
from monitoring.pages.bridge import Answered, respond
from monitoring.projection import ENDPOINT as SHOWN
from monitoring.projection import Projection
from monitoring.series import (
    CONCEPT,
    CONCEPT_THRESHOLD,
    DATA,
    DATA_THRESHOLD,
    EFFECT,
    ERROR,
    LABEL_LAG_S,
    LABELLED,
    LATENCY_US,
    MISSING,
    REQUESTS,
    ROWS,
)
from monitoring.watch import WATCHING, Watched

WEEK_S, END = 7 * 86_400, 1_700_006_400
PLAIN = (REQUESTS, ROWS, LABELLED, ERROR, LABEL_LAG_S, LATENCY_US, CONCEPT, CONCEPT_THRESHOLD, DATA, DATA_THRESHOLD)
KINDS = [(name, "") for name in PLAIN] + [(name, f) for name in (EFFECT, MISSING) for f in FEATURES[:4]]
FIRST_MS, SECOND_MS, MOST_BYTES, MOST_COST, MOST_READ_MS = 300, 50, 200_000, 0.05, 1_000
VIEWERS, LOOKS_A_SECOND = 10, 10  # each looks once a second
ENDPOINT_JSON = f"/endpoint.json?name={ENDPOINT}&range=15m"
PAGES = (
    "overview", f"endpoint?name={ENDPOINT}", f"compare?a={ENDPOINT}&b={SHADOW}", "requests", "requests?failed=1",
    "requests?id=0192d0a4-0003-7000-8000-000000020000", "requests?id=no-such-id", "incident?id=open",
    "incident?id=cleared", "system",
)  # fmt: skip


def points(count: int) -> Iterator[list[Point]]:
    """`count` points of the kinds that one endpoint has, evenly over a week, an hour at a time."""
    draw, each = random.Random(3), max(1, round(WEEK_S * len(KINDS) / count))
    for hour in range(END - WEEK_S, END, 3_600):
        yield [
            Point(
                series=series, endpoint=ENDPOINT, feature=feature, bucket=second, range=f"r-{second}", count=20,
                total=5.0, low=1.0, high=2.0 + draw.random(),
                histogram={60 + draw.randrange(20): 10, 70: 10} if series == LATENCY_US else {},
            )
            for second in range(hour, hour + 3_600, each)
            for series, feature in KINDS
        ]  # fmt: skip


def fill(settings: Settings, count: int) -> int:
    """Write them; how many there were."""
    series, shared, written = connect.series(settings), connect.state(settings, "shared"), 0
    for hour in points(count):
        series.write(hour)
        written += len(hour)
        series.retain(settings.series_points_s, settings.series_sums_s)  # as the consumer's keeper does each minute
    watched = pack(Watched(KEY, WATCHING))
    shared.commit({SHOWN + ENDPOINT: watched, SHOWN + SHADOW: watched, f"profile/{ENDPOINT}": profile()})
    connect.stream("bench", settings).close()
    Projection(shared, "bench", 0, "bench").show(1, {}, {})
    series.close()
    shared.close()
    return written


class Viewer:
    """Asks a dashboard of this process, as its function does for an event: in a loop that is there."""

    def __init__(self, settings: Settings, clock: ManualClock | SystemClock):
        self._app = create_app(settings, lambda *_: None, clock)
        self._loop = asyncio.new_event_loop()

    def get(self, path: str) -> Answered:
        path, _, query = path.partition("?")
        headers = {"Host": "127.0.0.1:8000"}
        event = SimpleNamespace(method="GET", path=path, fields=dict(parse_qsl(query)), headers=headers, body=b"")
        return self._loop.run_until_complete(respond(self._app, event))


def measure_pages(settings: Settings, clock: ManualClock) -> bool:
    """Print how long each page takes, in CPU milliseconds: the first and the second request of a kind, and one that
    asks for what it has. Whether one misses a target. Each kind has a dashboard of its own, that knows nothing yet."""
    missed = Viewer(settings, clock).get("/system").status != 200  # imports what is needed
    for page in PAGES:
        name, _, query = page.partition("?")
        viewer = Viewer(settings, clock)
        for path in (f"/{name}?{query}&range=7d", f"/{name}.json?{query}&range=7d"):
            first, answer = timed(lambda path=path, viewer=viewer: viewer.get(path))
            second, _ = timed(lambda path=path, viewer=viewer: viewer.get(path))
            size = len(answer.body)
            print(f"{path[:60]:>60}: {first:7.1f} ms, again {second:5.1f} ms, {size / 1e3:6.1f} kB")
            missed |= first > FIRST_MS or second > SECOND_MS or size > MOST_BYTES or answer.status != 200
    return missed


def timed(work: Callable[[], Answered]) -> tuple[float, Answered]:
    start = time.process_time()
    answer = work()
    return 1e3 * (time.process_time() - start), answer


@contextmanager
def reads() -> Iterator[list[float]]:
    """How long each read of an embedded store took meanwhile, in milliseconds: no transaction of it was longer."""
    taken, reading = [], SqliteDatabase.reading

    @contextmanager
    def timed_reading(database: SqliteDatabase) -> Iterator:
        begin = time.perf_counter()
        with reading(database) as connection:
            yield connection
        taken.append(1e3 * (time.perf_counter() - begin))

    SqliteDatabase.reading = timed_reading
    try:
        yield taken
    finally:
        SqliteDatabase.reading = reading


def measure_viewers(folder: Path) -> bool:
    """Consume rows while ten viewers look each second and a half, a range a second; the CPU of either."""
    settings = Settings(home=folder)
    stream, clock = messages(labelled=True), SystemClock()
    state, shared, series = (
        connect.state(settings, "bench"),
        connect.state(settings, "shared"),
        connect.series(settings),
    )
    shared.commit({f"profile/{ENDPOINT}": profile()})
    archive = connect.archive(settings)
    consumer = Consumer("bench", 0, settings, state, shared, series, archive, clock, lambda incident: None)
    connect.stream("bench", settings).close()
    consumer.consume(stream[:1])
    now, spent = ManualClock(stream[-1].appended), {"record path": 0.0, "viewers": 0.0}
    viewer, pages = Viewer(settings, now), ("/overview.json?range=15m", ENDPOINT_JSON, "/overview.json?range=1h")
    looks = cycle([pages[i % len(pages)] for i in range(VIEWERS)])  # who looks at one page sends one query
    for page in pages:
        viewer.get(page)  # what is imported and compiled once
    step = 20_000  # what a second of heavy traffic brings
    for begin in range(1, len(stream), step):
        spent["record path"] += timed(lambda b=begin: consumer.consume(stream[b : b + step]))[0]
        for look in islice(looks, LOOKS_A_SECOND):
            spent["viewers"] += timed(lambda look=look: viewer.get(look))[0]
            now.advance(1 / LOOKS_A_SECOND)
    for store in (state, shared, series):
        store.close()
    share = spent["viewers"] / spent["record path"]
    print(f"ten viewers: {spent['viewers']:.0f} ms of CPU beside {spent['record path']:.0f} ms, {share:.1%}")
    return share > MOST_COST


def main() -> int:
    """Print the figures; 1 where one misses its target."""
    count = int(float(sys.argv[1]) * 1e6) if len(sys.argv) > 1 else 10_000_000
    rows = int(float(sys.argv[2]) * 1e6) if len(sys.argv) > 2 else 2_000_000
    print(f"{platform.platform()}, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder) / "week")
        begin = time.monotonic()
        written = fill(settings, count), fill_archive(settings, rows, END - WEEK_S, END)
        print("{:,} points and {:,} rows".format(*written), f"in {time.monotonic() - begin:.0f} s")
        with reads() as longest:
            missed = measure_pages(settings, ManualClock(END - 1))
        print(f"longest read transaction: {max(longest):.0f} ms, of {len(longest):,}")
        missed |= max(longest) > MOST_READ_MS
        missed |= measure_viewers(Path(folder) / "live")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
