"""Sends rows of a test set to a deployed model and says what was wrong with its answers, and how long they took."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from .client import Answer, Client, NoAnswer

PURPOSE = {"purpose": "test"}
_PATHS = {"v1": ("/{model}/predict", "instances"), "v2": ("/v2/models/{model}/infer", "inputs")}
_SHOWN = 200


@dataclass(frozen=True)
class Trial:
    """One request of `rows` rows: its whole duration (or how long nothing came), how many outputs were as expected, and
    what was wrong, if so."""

    rows: int
    latency_us: int
    matched: int
    problem: str = ""


@dataclass(frozen=True)
class ProbeReport:
    """What a probe came to. `has_labels` tells whether outputs could be compared at all."""

    trials: tuple[Trial, ...]
    has_labels: bool

    @property
    def problems(self) -> list[str]:
        return [trial.problem for trial in self.trials if trial.problem]

    @property
    def rows(self) -> int:
        """Rows that were sent one by one or in a batch; each counts as often as it was sent."""
        return sum(trial.rows for trial in self.trials)

    @property
    def matched(self) -> int:
        return sum(trial.matched for trial in self.trials)

    @cached_property
    def latency(self) -> pd.DataFrame:
        """One line per batch size: requests, problems, and p50, p95, p99, min, mean, max over whole durations in us."""
        sizes = sorted({trial.rows for trial in self.trials})
        return pd.DataFrame([self._latency_of([t for t in self.trials if t.rows == size], size) for size in sizes])

    def results(self) -> dict[str, float]:
        """The named results of the run; latencies are those of the smallest requests, in microseconds."""
        first = self.latency.iloc[0]
        results = {"total_tests": len(self.trials), "errors": len(self.problems), "rows": self.rows}
        if self.has_labels:
            results |= {"match": self.matched, "match_rate": self.matched / self.rows}
        for name in ("p50", "p95", "p99"):
            results[f"{name}_latency"] = float(first[name])
        return results | {f"{name}_latency": int(first[name]) for name in ("avg", "min", "max")}

    @staticmethod
    def _latency_of(trials: Sequence[Trial], size: int) -> dict[str, float]:
        times = np.array([trial.latency_us for trial in trials], dtype=float)
        p50, p95, p99 = np.percentile(times, [50, 95, 99])
        return {
            "rows": size, "requests": len(trials), "problems": sum(bool(trial.problem) for trial in trials),
            "p50": p50, "p95": p95, "p99": p99, "min": times.min(), "avg": times.mean(), "max": times.max(),
        }  # fmt: skip


class Probe:
    """Probes one model behind `client`. `protocol` is v1 (MLRun's `/<model>/predict`) or v2; requests are marked
    `purpose: test`, so that they are recorded but never judged. Labels match when they are equal, numbers when they
    differ by no more than `tolerance`."""

    def __init__(self, client: Client, model: str, protocol: str = "v1", tolerance: float = 0.0):
        if protocol not in _PATHS:
            raise ValueError(f"protocol={protocol!r}: expected one of {', '.join(_PATHS)}")
        path, self._key = _PATHS[protocol]
        self._path, self._client, self._tolerance = path.format(model=model), client, tolerance

    def run(self, rows: Sequence[list[Any]], labels: Sequence[Any] | None, batch_sizes: Sequence[int]) -> ProbeReport:
        """Send all rows once for each batch size. `labels` are the outputs that are expected, one per row."""
        if not len(rows):
            raise ValueError("there is no row to send; give a table with rows")
        trials = [self._try(batch, truths) for size in batch_sizes for batch, truths in _batches(rows, labels, size)]
        return ProbeReport(tuple(trials), labels is not None)

    def _try(self, batch: list[list[Any]], truths: Sequence[Any] | None) -> Trial:
        begin = time.monotonic()
        try:
            answer = self._client.post(self._path, {self._key: batch, "labels": PURPOSE})
        except NoAnswer as error:
            return Trial(len(batch), round((time.monotonic() - begin) * 1e6), 0, str(error))
        outputs = outputs_of(answer.body)
        problem = _problem(answer, outputs, len(batch))
        matched = 0 if problem or truths is None else sum(map(self._matches, outputs, truths))
        return Trial(len(batch), answer.latency_us, matched, problem)

    def _matches(self, output: Any, label: Any) -> bool:
        if isinstance(output, int | float) and isinstance(label, int | float):
            return math.isclose(output, label, rel_tol=1e-9, abs_tol=self._tolerance)
        return output == label


def outputs_of(body: Any) -> list[Any] | None:
    """The outputs of an answer: a list by itself (MLRun's v1), or under `outputs` or `predictions`; None for others."""
    if isinstance(body, dict):
        body = body.get("outputs", body.get("predictions"))
    return body if isinstance(body, list) else None


def _problem(answer: Answer, outputs: list[Any] | None, rows: int) -> str:
    if not answer.is_ok:
        return f"status {answer.status}: {_shown(answer.body)}"
    if outputs is None:
        return f"the answer has no list of outputs: {_shown(answer.body)}"
    if len(outputs) != rows:
        return f"{len(outputs)} outputs for {rows} rows"
    if any(output is None for output in outputs):
        return f"output {outputs.index(None)} of {rows} is null"
    return ""


def _batches(
    rows: Sequence[list[Any]], labels: Sequence[Any] | None, size: int
) -> Iterator[tuple[list[list[Any]], Sequence[Any] | None]]:
    for start in range(0, len(rows), size):
        yield list(rows[start : start + size]), None if labels is None else labels[start : start + size]


def _shown(body: Any) -> str:
    text = body.decode(errors="replace") if isinstance(body, bytes) else str(body)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
