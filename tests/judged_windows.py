"""Columns of every kind, how each may go astray, and windows of them judged against a reference."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from leeway.settings import Settings
from monitoring.detectors.data_drift import DataDrift
from monitoring.detectors.window_result import WindowResult
from monitoring.reference import profile_of

REFERENCE, WINDOW = 5_000, 1_000

Predict = Callable[[pd.DataFrame], np.ndarray]


def always_zero(frame: pd.DataFrame) -> np.ndarray:
    """A model with one answer."""
    return np.zeros(len(frame), int)


class Watched:
    """A detector that was fitted on a reference, whose answers `predict` gives, and its windows."""

    def __init__(self, reference: pd.DataFrame, settings: Settings | None = None, predict: Predict = always_zero):
        profile = profile_of(reference, features=list(reference), label=None, predict=predict)
        self.detector = DataDrift.fit(profile, settings or Settings())

    def run(self, frame: pd.DataFrame) -> Iterator[WindowResult]:
        """Each window by itself, and with those before it where the detector wants that."""
        wanted = [name for name in self.detector.slow_names if name in frame]
        for stop in range(WINDOW, len(frame) + 1, WINDOW):
            start = max(stop - self.detector.windows * WINDOW, 0)
            together = columns(frame[wanted][start:stop]) if wanted and stop - start > WINDOW else None
            yield self.detector.score(columns(frame[stop - WINDOW : stop]), together=together)


def columns(frame: pd.DataFrame) -> dict[str, Any]:
    return {name: frame[name].to_numpy() if frame[name].dtype != object else frame[name].tolist() for name in frame}


def independent(features: int, rng: np.random.Generator, rows: int) -> pd.DataFrame:
    return pd.DataFrame(rng.normal(size=(rows, features))).add_prefix("f")


def autoregressive(features: int, rng: np.random.Generator, rows: int, phi: float = 0.9) -> pd.DataFrame:
    noise = rng.normal(size=(rows + 200, features)) * np.sqrt(1 - phi * phi)
    return pd.DataFrame(lfilter([1], [1, -phi], noise, axis=0)[200:]).add_prefix("f")


def mixed(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Columns as they are: binary, constant, mostly missing, categories few and without end, ties, heavy tails."""
    number = rng.normal(size=rows)
    return pd.DataFrame(
        {
            "binary": rng.random(rows) < 0.8,
            "constant": np.ones(rows),
            "sparse": np.where(rng.random(rows) < 0.7, np.nan, rng.normal(size=rows)),
            "word": rng.choice(list("abcdef"), rows, p=[0.5, 0.2, 0.15, 0.1, 0.04, 0.01]).astype(object),
            "identifier": np.array([f"id-{i}" for i in rng.integers(0, 1_000_000, rows)], object),
            "count": rng.poisson(2, rows),
            "heavy": np.exp(2 * rng.normal(size=rows)),
            "number": number,
            "follower": 0.8 * number + 0.6 * rng.normal(size=rows),
            "plain": rng.normal(size=rows),
        }
    )


def _first(rows: pd.DataFrame, name: str, share: float, value: Any) -> list[Any]:
    values = rows[name].tolist()
    values[: int(share * len(values))] = [value] * int(share * len(values))
    return values


def _mixed_up(rows: pd.DataFrame) -> np.ndarray:
    return np.array(_first(rows, "plain", 0.01, "n/a"), object)


def _drawn(rows: pd.DataFrame, rng: np.random.Generator, share: float) -> np.ndarray:
    return rng.random(len(rows)) < share


# What goes astray: its column, the cause that is to be named, and how.
FAULTS = {
    "binary .8 -> .7": ("binary", "shape", lambda rows, rng: _drawn(rows, rng, 0.7)),
    "a constant that varies in 5 % of rows": (
        "constant",
        "out_of_range",
        lambda rows, rng: _drawn(rows, rng, 0.95) * 1.0,
    ),
    "70 % missing -> 80 %": (
        "sparse",
        "missing",
        lambda rows, rng: rows["sparse"].where(_drawn(rows, rng, 2 / 3)),
    ),
    "70 % missing, the rest moved by .5 sd": ("sparse", "location", lambda rows, rng: rows["sparse"] + 0.5),
    "an unseen category in 2 % of rows": ("word", "unseen", lambda rows, rng: _first(rows, "word", 0.02, "new")),
    "a category in 20 % more": ("word", "shape", lambda rows, rng: _first(rows, "word", 0.2, "c")),
    "identifiers that become one": ("identifier", "constant", lambda rows, rng: ["id-0"] * len(rows)),
    "a number that becomes constant": ("plain", "constant", lambda rows, rng: np.zeros(len(rows))),
    "1 % of numbers become text": (
        "plain",
        "type_change",
        lambda rows, rng: _mixed_up(rows),
    ),
    "3 % out of range": ("plain", "out_of_range", lambda rows, rng: _first(rows, "plain", 0.03, 50.0)),
    "5 % become missing": ("plain", "missing", lambda rows, rng: _first(rows, "plain", 0.05, np.nan)),
    "a correlation of .8 that breaks": ("follower", "correlation", lambda rows, rng: rng.normal(size=len(rows))),
}
