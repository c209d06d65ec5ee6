"""What the workers of a function have done, for Prometheus, in our names, Seldon's and MLServer's. Counting is plain
arithmetic; the text is made when it is asked for."""

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from .counts import Counts
from .outlet import Outlet
from .types import About, Exchange

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# All of Seldon's, and shorter ones.
BUCKETS_US = (
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 75_000, 100_000, 250_000, 500_000, 750_000, 1_000_000,
    2_500_000, 5_000_000, 7_500_000, 10_000_000,
)  # fmt: skip
_SUM, _REWARDS, _REWARD = range(len(BUCKETS_US) + 1, len(BUCKETS_US) + 4)  # where they lie behind the buckets
_REFRESH_S = 1.0
_DROPPED, _WAITING, _SHADOW, _IN_FLIGHT = "dropped", "waiting", "shadow", "in_flight"
_QUEUE = "queue"


class Metrics:
    """Counts by endpoint, arm, operation and status; only deployments that are served have series. `models` says what
    is served now; `outlet` is None where nothing is recorded; `folder` is what the workers of a function share, None
    for nothing. `in_flight[deployment][0]` is 1 while this worker, which takes one request at a time, is at one."""

    def __init__(self, models: Callable[[], Sequence[About]], outlet: Outlet | None, folder: Path | None = None):
        self.models, self.outlet = models, outlet
        self.counts = Counts(folder)
        self.in_flight = _InFlight(self.counts)
        self._blocks: dict[tuple[str, str | None, str, int], memoryview] = {}
        self._failures = self.counts.block(("failures",))
        self._dropped_before: dict[tuple[str, str], float] = {}
        self._stop = threading.Event()
        if outlet is not None:
            threading.Thread(target=self._refresh, name="leeway-metrics", daemon=True).start()

    def see(self, exchange: Exchange) -> None:
        walk = exchange.walk
        key = (exchange.endpoint.id, None if walk is None else walk.arm, exchange.operation, exchange.status)
        block = self._blocks.get(key)
        if block is None:
            block = self._blocks[key] = self.counts.block(_key(exchange))
        block[bisect_left(BUCKETS_US, exchange.microsec)] += 1.0
        block[_SUM] += exchange.microsec / 1e6
        if exchange.feedback is not None and exchange.feedback.reward is not None:
            reward = exchange.feedback.reward
            rewards = reward if isinstance(reward, list) else [reward]
            block[_REWARDS] += len(rewards)
            block[_REWARD] += sum(rewards)

    def shadow_dropped(self, deployment: str, predictor: str) -> memoryview:
        """Where the requests are counted that a shadow did not see."""
        return self.counts.block((_SHADOW, deployment, predictor))

    def shadow_queue(self, deployment: str, predictor: str) -> memoryview:
        """Where it is said how many requests wait for a shadow of this worker."""
        found = self.counts.block((_QUEUE, deployment, predictor))
        found[0] = 0.0  # whatever a worker that was killed has left there
        return found

    def queues(self, now: Mapping[tuple[str, ...], list[float]]) -> Iterator[tuple[str, str, float]]:
        """(deployment, predictor, how many requests wait for this shadow in all living workers)"""
        for key, values in sorted(now.items()):
            if key[0] == _QUEUE:
                yield key[1], key[2], values[0]

    def shadows(self, sums: Mapping[tuple[str, ...], list[float]]) -> Iterator[tuple[str, str, float]]:
        """(deployment, predictor, how many requests it did not see)"""
        for key, values in sorted(sums.items()):
            if key[0] == _SHADOW:
                yield key[1], key[2], values[0]

    def observer_failed(self) -> None:
        """Somebody who watches raised: counted, and nothing else."""
        self._failures[0] += 1.0

    def text(self) -> bytes:
        """In Prometheus's text format."""
        from prometheus_client import CollectorRegistry, generate_latest

        from .exposition import Exposition

        self.refresh()
        registry = CollectorRegistry()
        registry.register(Exposition(self))
        return generate_latest(registry)

    def refresh(self) -> None:
        """Tell the other workers how it stands here."""
        if self.outlet is None:
            return
        waiting = self.counts.block((_WAITING,))
        waiting[0], waiting[1] = map(float, self.outlet.waiting())
        for key, reasons in self.outlet.dropped().items():
            for reason, count in reasons.items():
                self._tell_dropped(key.split("/", 2)[-1], reason, count)

    def waiting(self, now: Mapping[tuple[str, ...], list[float]]) -> tuple[float, float]:
        """(records, bytes) in the outboxes of all living workers; `now` are their sums."""
        found = now.get((_WAITING,), [0.0, 0.0])
        return found[0], found[1]

    def flights(self, now: Mapping[tuple[str, ...], list[float]]) -> Iterator[tuple[str, float]]:
        """(deployment, how many living workers are at a request)"""
        for key, values in sorted(now.items()):
            if key[0] == _IN_FLIGHT:
                yield key[1], values[0]

    def dropped(self, sums: Mapping[tuple[str, ...], list[float]]) -> Iterator[tuple[str, str, float]]:
        """(deployment, reason, how many)"""
        for key, values in sorted(sums.items()):
            if key[0] == _DROPPED:
                yield key[1], key[2], values[0]

    def close(self) -> None:
        """What is counted stays."""
        self._stop.set()
        self.refresh()
        self.counts.close()

    def _tell_dropped(self, deployment: str, reason: str, count: int) -> None:
        block = self.counts.block((_DROPPED, deployment, reason))
        before = self._dropped_before.setdefault((deployment, reason), block[0])  # of workers that had this file
        block[0] = before + count

    def _refresh(self) -> None:
        while not self._stop.wait(_REFRESH_S):
            self.refresh()


class _InFlight(dict[str, memoryview]):
    """By deployment, made when they are first asked for. Of a worker that was killed at a request nothing stays."""

    def __init__(self, counts: Counts):
        super().__init__()
        self._counts = counts
        for key, block in counts.mine():
            if key[0] == _IN_FLIGHT:
                block[0] = 0.0

    def __missing__(self, deployment: str) -> memoryview:
        found = self[deployment] = self._counts.block((_IN_FLIGHT, deployment))
        return found


def _key(exchange: Exchange) -> tuple[str, ...]:
    endpoint, walk = exchange.endpoint, exchange.walk
    return (
        "requests", endpoint.id, endpoint.deployment, endpoint.node, endpoint.version, endpoint.class_name,
        (walk.arm or "") if walk is not None else "", str(exchange.operation), str(exchange.status),
    )  # fmt: skip
