"""A deployment that drifts, as its stores hold it: the stream, the archive, the counters, the verdicts."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import pytest

from leeway.backends import connect
from leeway.clock import ManualClock
from leeway.settings import Settings
from monitoring.queries import Queries
from monitoring.reconciliation import Baseline

KEY, ENDPOINT = "shop/server/a", "shop/server/a/default/a/v1"
ROWS, DRIFT_FROM, LAG = 2_400, 1_200, 10


@dataclass
class Run:
    """What one run left in a home."""

    reader: Any
    queries: Queries

    @property
    def settings(self) -> Settings:
        return self.reader.settings

    @property
    def begin(self) -> Baseline:
        """Before the first record."""
        return Baseline("s", KEY, [0], {})

    def take(self, maker: Any) -> None:
        """Append what a maker made to the stream and consume it."""
        clock = ManualClock()
        stream = connect.stream("s", self.settings, clock)
        for appended, messages in groupby(maker.messages, key=lambda message: message.appended):
            clock.advance(appended - clock.now())
            stream.append([(message.key, message.value) for message in messages])
        maker.messages.clear()
        consumer = self.reader.consumer()
        consumer.consume(stream.read(0, consumer.position, 100_000))
        stream.close()


@pytest.fixture
def run(make_reader) -> Iterator[Run]:
    """Nothing was recorded yet."""
    reader = make_reader(window_rows=200, detector_arl0=2_000)
    with Queries(reader.settings) as queries:
        yield Run(reader, queries)


@pytest.fixture
def drifted(run, maker) -> Run:
    """2,400 rows, an hour each; from row 1,200 on demand is far from training and half of the answers are wrong."""
    begin = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    rows = [
        [maker.random.random(), maker.random.random() + (2 if i >= DRIFT_FROM else 0), maker.random.random()]
        for i in range(ROWS)
    ]
    for i in range(ROWS + LAG):
        maker.appended += i % 100 == 0
        if i < ROWS:
            time = (begin + i * timedelta(hours=1)).isoformat()
            maker.predict("a", f"run-{i:05d}", [rows[i]], event_time=time)
        if i >= LAG:
            wrong = maker.random.random() < (0.5 if i - LAG >= DRIFT_FROM else 0.1)
            maker.truth("a", f"run-{i - LAG:05d}", [int(rows[i - LAG][0] > 0.5) ^ wrong])
    run.take(maker)
    return run
