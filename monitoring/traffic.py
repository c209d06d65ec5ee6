"""Requests, failures, rows and latencies as points."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from .answers import Answers
from .latency import histogram
from .series import FAILURES, LATENCY_US, REQUESTS, ROWS, Points


@dataclass
class _Second:
    """What one endpoint answered in one second of the shard's clock."""

    latencies_us: list[int] = field(default_factory=list)
    failures: int = 0
    rows: int = 0


class Traffic:
    """Collects the answers of one range, and sums them up once."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, int], _Second] = {}

    def add(self, answers: Answers) -> None:
        """Add one batch of an endpoint, second by second."""
        rows, clocks = answers.counted_rows(), answers.clocks
        changes = [] if clocks[0] == clocks[-1] else (np.flatnonzero(np.diff(clocks)) + 1).tolist()
        for start, stop in pairwise([0, *changes, len(rows)]):  # the clock never runs back
            second = self._seconds.setdefault((answers.endpoint, int(clocks[start])), _Second())
            second.latencies_us += answers.said["microsec"][start:stop]
            second.failures += stop - start - answers.said["error"][start:stop].count(None)
            second.rows += sum(rows[start:stop])

    def write(self, points: Points) -> None:
        """Put what was collected into points."""
        for (endpoint, clock), second in self._seconds.items():
            requests, latencies_us = len(second.latencies_us), np.array(second.latencies_us)
            points.count(REQUESTS, endpoint, clock, requests)
            points.count(ROWS, endpoint, clock, second.rows)
            if second.failures:
                points.count(FAILURES, endpoint, clock, second.failures)
            low, high = float(latencies_us.min()), float(latencies_us.max())
            points.extent(LATENCY_US, endpoint, clock, low, high, count=requests)
            points.count(LATENCY_US, endpoint, clock, 0, float(sum(second.latencies_us)))
            points.histogram(LATENCY_US, endpoint, clock, histogram(latencies_us))
