"""Answers that were given before, by query and by how far the stores had come."""

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

_MOST, _MOST_BYTES = 64, 16 * 1024 * 1024


class Kept(NamedTuple):
    """A status and a body."""

    status: int
    body: bytes


class AnswerCache:
    """The newest answer to each query, the least recently used going first. `tag` says what an answer rests on."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[str, Kept]] = OrderedDict()
        self._bytes = 0

    def get(self, query: str, tag: str, make: Callable[[], Kept]) -> Kept:
        """The kept answer where it rests on the same, else a new one."""
        found = self._kept.get(query)
        if found is not None and found[0] == tag:
            self._kept.move_to_end(query)
            return found[1]
        made = make()
        self._forget(query)
        self._kept[query] = (tag, made)
        self._bytes += len(made.body)
        while len(self._kept) > _MOST or self._bytes > _MOST_BYTES:
            self._forget(next(iter(self._kept)))
        return made

    def _forget(self, query: str) -> None:
        if query in self._kept:
            self._bytes -= len(self._kept.pop(query)[1].body)
