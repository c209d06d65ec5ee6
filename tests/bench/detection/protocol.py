"""Seeded streams of errors with and without drift, and what a detector's alarms on them are worth.

A stream is the errors (0 or 1) of a Gaussian naive Bayes model, fitted on 5,000 rows and never again, on 20,000 rows of
a generator of river's whose concept changes at row 10,000; or errors drawn with a rate that changes there. The first
2,000 rows set the error level. False alarms are those on rows 2,000 to 10,000 (to the end where nothing drifts).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

import numpy as np

ROWS, DRIFT_AT, LEVEL_ROWS, TRAINING_ROWS, SEEDS = 20_000, 10_000, 2_000, 5_000, 30
MISSED_AFTER = 5_000
ALL_NEW_FROM = 12_000  # by then the slowest concept has taken over

# name: (generator, concept before, concept after, rows over which the new one takes over)
CONCEPTS = {
    "SEA 2-3": ("SEA", 2, 3, 0),
    "SEA 0-1": ("SEA", 0, 1, 0),
    "sine 0-1": ("Sine", 0, 1, 0),
    "stagger 0-1": ("STAGGER", 0, 1, 0),
    "mixed 0-1": ("Mixed", 0, 1, 0),
    "agrawal 0-2": ("Agrawal", 0, 2, 0),
    "SEA 2-3 gradual": ("SEA", 2, 3, 2_000),
    "SEA": ("SEA", 2, 2, 0),
    "sine": ("Sine", 0, 0, 0),
    "stagger": ("STAGGER", 0, 0, 0),
    "agrawal": ("Agrawal", 0, 0, 0),
}
RATES = [(0.05, 0.05), (0.1, 0.1), (0.2, 0.2), (0.3, 0.3), (0.05, 0.1), (0.1, 0.15), (0.1, 0.2), (0.2, 0.3), (0.3, 0.4)]
NULLS = ("SEA", "sine", "stagger", "agrawal", ".05", ".1", ".2", ".3")


@dataclass(frozen=True)
class Stream:
    """Errors by seed, int8 of shape (seeds, rows)."""

    name: str
    errors: np.ndarray

    @property
    def drifts(self) -> bool:
        return self.name not in NULLS


@dataclass(frozen=True)
class Score:
    """False alarms per 10,000 rows, the mean delay with a miss counted as 5,000 rows (None without drift), misses."""

    false_alarms: float
    delay: float | None
    missed: int


def streams(seed_set: int = 0, seeds: int = SEEDS, each: Callable = map) -> Iterator[Stream]:
    """The streams of a seed set; `each` is map, or does the same in several processes."""
    first = seed_set * SEEDS
    by_seed = list(each(errors_of_models, range(first, first + seeds)))
    for name in CONCEPTS:
        yield Stream(name, np.array([errors[name] for errors in by_seed]))
    for k, (before, after) in enumerate(RATES):
        rng = np.random.default_rng([first, k])
        rates = np.where(np.arange(ROWS) < DRIFT_AT, before, after)
        yield Stream(_rates_name(before, after), (rng.random((seeds, ROWS)) < rates).astype(np.int8))


def errors_of_models(seed: int) -> dict[str, np.ndarray]:
    """By stream of CONCEPTS the errors of one model, each of shape (rows,)."""
    return {name: model_errors(name, seed) for name in CONCEPTS}


def model_errors(name: str, seed: int) -> np.ndarray:
    """Of one stream of CONCEPTS, int8 of shape (rows,)."""
    from sklearn.naive_bayes import GaussianNB

    generator, before, after, width = CONCEPTS[name]
    old_rows, old_labels = _table(generator, before, 1_000 + seed, TRAINING_ROWS + ALL_NEW_FROM)
    new_rows, new_labels = _table(generator, after, 500_000 + seed, ROWS)
    model = GaussianNB().fit(old_rows[:TRAINING_ROWS], old_labels[:TRAINING_ROWS])
    share = np.clip((np.arange(ROWS) - DRIFT_AT + (0 if width else 1)) / max(width, 1), 0, 1)
    is_new = np.random.default_rng(seed).random(ROWS) < share
    errors = model.predict(new_rows) != new_labels
    before_all_new = model.predict(old_rows[TRAINING_ROWS:]) != old_labels[TRAINING_ROWS:]
    errors[:ALL_NEW_FROM] = np.where(is_new[:ALL_NEW_FROM], errors[:ALL_NEW_FROM], before_all_new)
    return errors.astype(np.int8)


def score(stream: Stream, alarms: Sequence[Sequence[int]]) -> Score:
    """Of the alarms of each seed, as rows of its stream."""
    end = DRIFT_AT if stream.drifts else ROWS
    false = sum(LEVEL_ROWS <= row < end for rows in alarms for row in rows)
    rate = false / len(alarms) / (end - LEVEL_ROWS) * 1e4
    if not stream.drifts:
        return Score(rate, None, 0)
    delays = [next((row - DRIFT_AT for row in rows if row >= DRIFT_AT), MISSED_AFTER) for rows in alarms]
    delays = [min(delay, MISSED_AFTER) for delay in delays]
    return Score(rate, float(np.mean(delays)), sum(delay == MISSED_AFTER for delay in delays))


def _rates_name(before: float, after: float) -> str:
    names = [f"{rate:g}".lstrip("0") for rate in (before, after)]
    return names[0] if before == after else "-".join(names)


@lru_cache(maxsize=16)  # all of a seed's
def _table(generator: str, concept: int, seed: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    from river.datasets import synth

    options = {
        "SEA": {"variant": concept, "noise": 0.1},
        "Sine": {"classification_function": concept, "balance_classes": False, "has_noise": False},
        "STAGGER": {"classification_function": concept, "balance_classes": False},
        "Mixed": {"classification_function": concept, "balance_classes": False},
        "Agrawal": {"classification_function": concept, "perturbation": 0.05},
    }[generator]
    drawn = list(islice(getattr(synth, generator)(seed=seed, **options), rows))
    return np.array([[float(v) for v in x.values()] for x, _ in drawn]), np.array([int(y) for _, y in drawn])
