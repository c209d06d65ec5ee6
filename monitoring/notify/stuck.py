"""Which consumers do not move while messages wait for them."""

from collections.abc import Mapping

from leeway.clock import Clock
from leeway.errors import StoreError
from leeway.settings import Settings

from ..lag import lag_of
from ..queries import Queries
from .notice import Notice, of_stuck


class Stuck:
    """Remembers since when each shard stands. A restart begins anew, so it is told later, never too early; of a shard
    that is seen for the first time, and for which something waits, nothing is known yet."""

    def __init__(self, settings: Settings, clock: Clock):
        self._settings, self._clock = settings, clock
        self._since: dict[tuple[str, int], tuple[int, float]] = {}

    def notices(self, queries: Queries) -> list[Notice]:
        """How each shard stands; nothing of a stream that cannot be asked now."""
        found: list[Notice] = []
        for stream in sorted({shown.stream for shown in queries.consumers()}):
            try:
                lag = lag_of(stream, self._settings, queries)
            except StoreError:
                continue
            waiting = {i: end - position for i, (end, position) in enumerate(zip(lag.ends, lag.positions))}
            found += self._of_stream(stream, waiting, dict(enumerate(lag.positions)))
        return found

    def _of_stream(self, stream: str, waiting: Mapping[int, int], positions: Mapping[int, int]) -> list[Notice]:
        now, found = self._clock.monotonic(), []
        for shard, position in positions.items():
            known, since = self._since.get((stream, shard), (None, now))
            if known != position or waiting[shard] <= 0:
                self._since[stream, shard] = position, now
                if known is not None or waiting[shard] <= 0:
                    found.append(of_stuck(stream, shard, 0, None))
            elif now - since >= self._settings.notify_stuck_s:
                found.append(of_stuck(stream, shard, waiting[shard], now - since))
        return found
