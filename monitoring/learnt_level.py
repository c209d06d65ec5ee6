"""An error level that goes on learning from the rows that raised no alarm."""

import msgspec
import numpy as np
from scipy.special import betaincinv

from leeway.profile import ErrorLevel

from .error_level import error_level_from, sequence_of

_GROWTH = 1.25
_BOUNDS = (0.005, 0.995)


class KeptLevel(msgspec.Struct):
    """The level that was learnt last (None: the reference's); the errors of rows learnt since, and of those that still
    may become an alarm, a byte each."""

    level: ErrorLevel | None = None
    learnt: bytes = b""
    pending: bytes = b""


class LearntLevel:
    """A short reference leaves its error level uncertain, and every alarm pays for that: the threshold must be high
    enough for the levels that it leaves possible. So rows that the stream goes on with join it.

    A row is learnt when the statistic next comes back to zero; rows of an alarm, and of the incident behind it, never
    are. `grown` takes them over when the level's rows become a quarter more, up to `most_rows`. Then it stays: a level
    that moves slowly for ever would be followed for ever. For the same reason a level is not taken over that lies
    outside of what the reference itself leaves possible (its posterior's .5 % to 99.5 %): learning makes an uncertain
    level certain, and never another one. Where errors come in bursts nothing is learnt: rows between two bursts say
    little of the level, and what lies in a burst looks like an alarm.

    After the self-starting CUSUM of D. M. Hawkins, Self-starting CUSUM charts for location and scale, The Statistician
    36 (1987).
    """

    def __init__(self, reference: ErrorLevel, most_rows: int):
        self.level, self._reference, self._most_rows = reference, reference, most_rows
        self._learnt, self._pending = bytearray(), bytearray()
        self._bounds = betaincinv(*posterior(reference), _BOUNDS)

    @property
    def is_done(self) -> bool:
        """Whether it learns no more."""
        return self.level.rows >= self._most_rows or self.level.inflation > 1

    @property
    def rows_learnt(self) -> int:
        """The rows of the level that the reference does not have."""
        return self.level.rows - self._reference.rows

    def take(self, error: int, statistic: float) -> None:
        """Take a row and the statistic after it."""
        if self.is_done:
            return
        self._pending.append(1 if error else 0)
        if statistic <= 0:
            self._learnt += self._pending
            self._pending.clear()

    def take_many(self, errors: np.ndarray, statistics: np.ndarray) -> None:
        """Take rows, errors and statistics each of shape (n,)."""
        if self.is_done:
            return
        zeros = np.flatnonzero(statistics <= 0)
        some = (np.asarray(errors) != 0).astype(np.uint8).tobytes()
        if len(zeros):
            self._learnt += self._pending + some[: zeros[-1] + 1]
            self._pending.clear()
            some = some[zeros[-1] + 1 :]
        self._pending += some

    def forget(self) -> None:
        """The rows since zero are those of an alarm."""
        self._pending.clear()

    def grown(self) -> bool:
        """Take over what was learnt, where it is enough; whether `level` is another one now."""
        level = self.level
        wanted = min(_GROWTH * level.rows, self._most_rows)
        if self.is_done or level.rows + len(self._learnt) < wanted:
            return False
        learnt = np.frombuffer(bytes(self._learnt), np.uint8).astype(bool)[: self._most_rows - level.rows]
        self._learnt.clear()
        found = error_level_from(np.concatenate([sequence_of(level), learnt]), level.source)
        if not self._bounds[0] <= found.level <= self._bounds[1]:
            return False
        self.level = found
        if self.is_done:
            self._pending.clear()
        return True

    def snapshot(self) -> KeptLevel:
        """What to keep of it."""
        level = None if self.level is self._reference else self.level
        return KeptLevel(level, bytes(self._learnt), bytes(self._pending))

    def restore(self, kept: KeptLevel) -> None:
        """As `snapshot` gave it."""
        self.level = kept.level or self._reference
        self._learnt, self._pending = bytearray(kept.learnt), bytearray(kept.pending)


def posterior(level: ErrorLevel) -> tuple[float, float]:
    """The beta distribution of the error rate, by Jeffreys' prior; rows count as rows / inflation."""
    return level.errors / level.inflation + 0.5, (level.rows - level.errors) / level.inflation + 0.5
