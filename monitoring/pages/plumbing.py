"""How far the record path is behind, and what it could not use."""

from dataclasses import dataclass

from leeway.outbox_waiting import outboxes_below

from ..lag import Lag, lag_of
from .source import Source


@dataclass(frozen=True)
class Plumbing:
    """`lags` by stream; `outboxes` on this disk, and the bytes in them that were not forwarded; `counts` are those of
    monitoring/counts.py over every deployment."""

    lags: dict[str, Lag]
    outboxes: int
    outbox_bytes: int
    counts: dict

    @property
    def waiting(self) -> int:
        """Messages that no consumer has committed."""
        return sum(lag.waiting for lag in self.lags.values())

    @property
    def dropped(self) -> int:
        return sum(self.counts["dropped"].values())


def plumbing(source: Source) -> Plumbing:
    """As it is now."""
    streams = sorted({shown.stream for shown in source.queries.consumers()})
    lags = {stream: lag_of(stream, source.settings, source.queries) for stream in streams}
    found = outboxes_below(source.settings.home / "outbox")
    outboxes, waiting = (sum(each[name] for each in found) for name in ("outboxes", "waiting_bytes"))
    return Plumbing(lags, outboxes, waiting, source.queries.counts())
