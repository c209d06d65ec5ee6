"""Answers that were given before, by query and by how far the stores had come."""

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from leeway.clock import Clock

_MOST, _MOST_BYTES = 64, 16 * 1024 * 1024
_STANDS, _LONGEST_S = 400, 1.5


class Kept(NamedTuple):
    """A status and a body."""

    status: int
    body: bytes


class Answer(NamedTuple):
    """What was kept, the tag that says what it rests on, how long it took to make, and when that was."""

    kept: Kept
    tag: str
    took_s: float
    at_s: float


class AnswerCache:
    """The newest answer to each query, the least recently used going first.

    An answer stands while what it rests on does; and, whatever is committed meanwhile, four hundred times as long as it
    took to make, 1.5 s at most: those who watch a page cost a fraction of a core, however fast the stores change.
    `timer` gives the seconds that making takes.
    """

    def __init__(self, clock: Clock, timer: Callable[[], float]) -> None:
        self._clock, self._timer = clock, timer
        self._kept: OrderedDict[str, Answer] = OrderedDict()
        self._bytes = 0

    def get(self, query: str, tag: Callable[[], str], make: Callable[[], Kept]) -> Answer:
        """The kept answer where it stands, else a new one; `tag` says what it rests on."""
        found, now_s = self._kept.get(query), self._clock.monotonic()
        if found is not None and (
            now_s < found.at_s + min(_STANDS * found.took_s, _LONGEST_S) or found.tag == (newest := tag())
        ):
            self._kept.move_to_end(query)
            return found
        newest, begin = (tag() if found is None else newest), self._timer()
        made = Answer(make(), newest, self._timer() - begin, now_s)
        self._forget(query)
        self._kept[query] = made
        self._bytes += len(made.kept.body)
        while len(self._kept) > _MOST or self._bytes > _MOST_BYTES:
            self._forget(next(iter(self._kept)))
        return made

    def _forget(self, query: str) -> None:
        if query in self._kept:
            self._bytes -= len(self._kept.pop(query).kept.body)
