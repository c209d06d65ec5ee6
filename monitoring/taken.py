"""Records of one kind in one batch, as columns."""

from abc import ABC, abstractmethod
from typing import Any

from leeway.record import Record, Request, Response

from .label_values import Place
from .said_columns import said_columns

_AT_ONCE = 64


class Taken(ABC):
    """Records in stream order: taken one by one, ended, and read then.

    A few at a time are taken apart into columns and let go. So the next ones come to lie in memory that is still in
    the processor's nearest cache, and cost half of what they do where a whole batch is kept as it was decoded.
    """

    def __init__(self) -> None:
        self.likes: list[Record] = []
        self.places: list[Place] = []
        self.said: dict[str, list[Any]] = {}  # as said_columns has it, without what is kept of requests and answers
        self._taken: list[tuple[Any, ...]] = []

    def take(self, *taken: Any) -> None:
        """One more record: its two parts (see RecordReader), its place, and what was found out about it."""
        self._taken.append(taken)
        if len(self._taken) == _AT_ONCE:
            self.end()

    def end(self) -> None:
        """No more will come for now."""
        if not self._taken:
            return
        likes, said, places, *found = zip(*self._taken)
        self._taken.clear()
        self.likes += likes
        self.places += places
        columns = said_columns(said)
        requests, answers = columns.pop("request"), columns.pop("resp")
        for name, values in columns.items():
            self.said.setdefault(name, []).extend(values)
        self._keep(likes, requests, answers, *found)

    @abstractmethod
    def _keep(
        self,
        likes: tuple[Record, ...],
        requests: tuple[Request, ...],
        answers: tuple[Response, ...],
        *found: tuple[Any, ...],
    ) -> None:
        """What a kind keeps of some records beside its fields."""
