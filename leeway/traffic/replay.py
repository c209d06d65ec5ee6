"""Replays a labelled table to a deployment, row by row and in order, with its labels coming later."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from .client import Client

_TOLD_EACH = 250


@dataclass
class Tally:
    """What one side of a replay came to: requests sent, answers that were good, and the others by status."""

    sent: int = 0
    answered: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def count(self, status: int, attempts: int) -> None:
        self.sent += attempts
        if 200 <= status < 300:
            self.answered += 1
        else:
            self.refused[str(status)] += 1


@dataclass(frozen=True)
class Replay:
    """How a table is replayed: one request a row with the id `<run>-<row>`, the truth of a row `lag` rows later.

    `begin` and `step` give each row its own time (the record's event_time).
    """

    deployment: str
    run: str
    label: str
    lag: int
    begin: datetime
    step: timedelta

    def send(
        self, client: Client, frame: pd.DataFrame, progress: Callable[[int, int], None] = lambda done, total: None
    ) -> tuple[Tally, Tally]:
        """Send every row of `frame`, then the truth that is left; (what predictions came to, what feedback did)."""
        truths = frame[self.label].tolist()
        rows = frame.drop(columns=self.label).to_numpy().tolist()
        predictions, feedback = Tally(), Tally()
        for i in range(len(rows) + self.lag):
            if i < len(rows):
                self._post(client, "predict", self._request(i, rows[i]), predictions)
            if 0 <= i - self.lag < len(rows):
                self._post(client, "feedback", self._truth(i - self.lag, truths[i - self.lag]), feedback)
            if i % _TOLD_EACH == 0:
                progress(min(i, len(rows)), len(rows))
        progress(len(rows), len(rows))
        return predictions, feedback

    def _post(self, client: Client, operation: str, body: dict[str, Any], tally: Tally) -> None:
        answer = client.post(f"/{self.deployment}/{operation}", body)
        tally.count(answer.status, answer.attempts)

    def _id(self, row: int) -> str:
        return f"{self.run}-{row:05d}"

    def _request(self, row: int, values: list[Any]) -> dict[str, Any]:
        return {"id": self._id(row), "event_time": self._time(row), "instances": [values]}

    def _truth(self, row: int, truth: Any) -> dict[str, Any]:
        return {"id": self._id(row), "truth": [truth]}

    def _time(self, row: int) -> str:
        return (self.begin + row * self.step).isoformat()


def row_of(request_id: str) -> int | None:
    """The row that a request id of a replay names, None for any other id.

    >>> row_of("elec-00042")
    42
    """
    number = request_id.rpartition("-")[2]
    return int(number) if number.isdigit() and len(number) < 10 else None
