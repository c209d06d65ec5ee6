"""Errors of rows that lie in the slices of several slicings: without drift, with one slice whose rate doubles, and with
the rate doubled everywhere; as a consumer watches them."""

from dataclasses import dataclass
from types import SimpleNamespace

import msgspec
import numpy as np
import pandas as pd

from leeway.profile import Profile
from leeway.record import Verdict
from leeway.settings import Settings
from monitoring.label_values import Completed, Entry, Place
from monitoring.reference import profile_of
from monitoring.slice_watch import KeptSlice, SliceWatch
from monitoring.verdicts import DETECTED

SHARES = {"a": (0.25,) * 4, "b": (0.6, 0.3, 0.1), "c": (0.8, 0.2), "d": (0.5, 0.3, 0.15, 0.05)}  # by slicing
ARL0, LEVEL_ROWS, RATE = 5_000, 2_000, 0.15
NULL_ROWS, RAISED_ROWS = 4 * ARL0, 6_000
MOVED = "b=1"  # the slice whose error rate doubles
Columns = dict[str, list[str | None]]
SETTINGS = Settings(detector_arl0=ARL0, slices=";".join(SHARES), slices_rows=LEVEL_ROWS)


@dataclass(frozen=True)
class SlicedResult:
    """Of one stream: how many stretches of ARL0 rows hold a false alarm, of how many; false alarms, later ones of a
    slice included; after one slice's rate doubled, the one that alarmed first; after all rates doubled, how many rows
    later the first slices alarmed, and from when on half of all had."""

    stretches_with_alarm: int
    stretches: int
    alarms: int
    first: str | None
    all_first: int
    all_half: int


def sliced_result(seed: int) -> SlicedResult:
    """Every slice's level is set by its first 2,000 rows, as a reference would."""
    rng = np.random.default_rng([seed, 5])
    profile = _profile()
    begun = SliceWatch("e", 0, profile, SETTINGS)
    rows = LEVEL_ROWS * max(map(len, SHARES.values()))
    _run(begun, {name: _in_turn(len(shares), rows) for name, shares in SHARES.items()}, rng.random(rows) < RATE)
    kept = msgspec.to_builtins(begun.snapshot(), builtin_types=(bytes,))

    def found(rows: int, rates: np.ndarray, columns: Columns) -> list[Verdict]:
        watch = SliceWatch("e", 0, profile, SETTINGS)
        watch.restore(msgspec.convert(kept, dict[str, KeptSlice]), {})
        return _run(watch, columns, rng.random(rows) < rates)

    quiet = [found.at.offset for found in found(NULL_ROWS, np.full(NULL_ROWS, RATE), _codes(rng, NULL_ROWS))]
    columns = _codes(rng, RAISED_ROWS)
    one = found(RAISED_ROWS, np.where(np.array(columns["b"]) == "1", 2 * RATE, RATE), columns)
    every = found(RAISED_ROWS, np.full(RAISED_ROWS, 2 * RATE), _codes(rng, RAISED_ROWS))
    firsts: dict[str, int] = {}
    for each in every:
        firsts.setdefault(each.feature, each.at.offset)
    rows = sorted(firsts.values())
    half = sum(map(len, SHARES.values())) // 2
    return SlicedResult(
        stretches_with_alarm=len({row // ARL0 for row in quiet}),
        stretches=NULL_ROWS // ARL0,
        alarms=len(quiet),
        first=one[0].feature if one else None,
        all_first=rows[0] if rows else RAISED_ROWS,
        all_half=rows[half] if len(rows) > half else RAISED_ROWS,
    )


def _profile() -> Profile:
    """Of rows with each slice in them."""
    frame = pd.DataFrame({name: [str(k % len(shares)) for k in range(120)] for name, shares in SHARES.items()})
    return profile_of(frame, features=list(SHARES), label=None, predict=lambda rows: np.zeros(len(rows), int))


def _in_turn(slices: int, rows: int) -> list[str | None]:
    """One slice after the other until each has its level, then none."""
    return [str(row % slices) if row < slices * LEVEL_ROWS else None for row in range(rows)]


def _codes(rng: np.random.Generator, rows: int) -> Columns:
    return {name: rng.choice(len(shares), rows, p=shares).astype(str).tolist() for name, shares in SHARES.items()}


def _run(watch: SliceWatch, columns: Columns, errors: np.ndarray) -> list[Verdict]:
    """The alarms on rows in order, each a record of its own: their offsets count from 0."""
    rows = len(errors)
    places = [Place(row, 0, 0, 0) for row in range(rows)]
    watch.see(
        SimpleNamespace(
            fed=np.arange(rows), owner=np.arange(rows), places=places, fed_columns=lambda start, stop: columns
        )
    )
    verdicts: list[Verdict] = []
    for place, error in zip(places, errors.astype(int).tolist()):
        watch.take(Completed(Entry(0, "", 0, place.offset, 0, 1, [None]), 0, None, None, place), error, verdicts)
    return [found for found in verdicts if found.status == DETECTED]
