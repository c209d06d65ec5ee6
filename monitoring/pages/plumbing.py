"""How far the record path is behind, and what it could not use."""

import os
from dataclasses import dataclass
from pathlib import Path

from leeway import outbox_layout
from leeway.errors import StoreError
from leeway.outbox_file import SUFFIX

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
    waiting = [_waiting(path) for path in (source.settings.home / "outbox").rglob(f"*{SUFFIX}")]
    return Plumbing(lags, len(waiting), sum(waiting), source.queries.counts())


def _waiting(path: Path) -> int:
    """Bytes of an outbox that were not forwarded; of one that goes meanwhile, none."""
    try:
        with path.open("rb") as file:
            head = outbox_layout.unpack_head(file.read(outbox_layout.FIRST_SLOT))
            return max(0, head.base + os.fstat(file.fileno()).st_size - outbox_layout.DATA - head.sent)
    except (OSError, StoreError):
        return 0
