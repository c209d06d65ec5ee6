"""What every detector must do: a conformance suite that finds the detectors by itself.

`checks()` gives (name, check) pairs, a check being a function without arguments that raises AssertionError. A new
detector is covered as soon as its file is in this folder.
"""

import json
import math
import pkgutil
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from inspect import isabstract

import numpy as np
import pandas as pd

from leeway.settings import Settings

from ..reference import profile_of
from . import __path__ as _folder
from .base import BatchDetector, StreamDetector

_ROWS = 3_000


def detectors(kind: type) -> list[type]:
    """Every class in this folder that can be made and is a `kind`, by name."""
    modules = [import_module(f".{found.name}", __package__) for found in pkgutil.iter_modules(_folder)]
    found = {value for module in modules for value in vars(module).values() if isinstance(value, type)}
    return sorted((c for c in found if issubclass(c, kind) and not isabstract(c)), key=lambda c: c.__name__)


def checks() -> Iterator[tuple[str, Callable[[], None]]]:
    """Every check of every detector."""
    for kind, wanted in ((StreamDetector, _STREAM_CHECKS), (BatchDetector, _BATCH_CHECKS)):
        for detector in detectors(kind):
            for check in wanted:
                yield f"{detector.__name__}-{check.__name__}", partial(check, detector)


def batches_alarm_where_single_values_do(detector: type[StreamDetector]) -> None:
    """However the values are cut into batches."""
    errors = _errors(0)
    single = detector.example()
    expected = [i for i, x in enumerate(errors.tolist()) if single.update(x)]
    assert expected
    for size in (1, 7, 1_000, len(errors)):
        batched = detector.example()
        parts = range(0, len(errors), size)
        assert [i + k for i in parts for k in batched.update_many(errors[i : i + size])] == expected
        assert batched.snapshot() == single.snapshot()


def a_restored_copy_goes_on_alike(detector: type[StreamDetector]) -> None:
    """The snapshot is JSON, and holds all that matters."""
    original, copy = detector.example(), detector.example()
    errors = _errors(1)
    for cut in range(0, len(errors), 500):
        copy.restore(json.loads(json.dumps(original.snapshot())))
        assert copy.statistic == original.statistic
        part = errors[cut : cut + 500]
        assert copy.update_many(part) == original.update_many(part)
        assert copy.snapshot() == original.snapshot()


def an_alarm_is_a_statistic_beyond_its_threshold(detector: type[StreamDetector]) -> None:
    """Also right after the alarm, when it is read."""
    watched = detector.example()
    for x in _errors(2).tolist():
        is_alarm = watched.update(x)
        assert isinstance(is_alarm, bool)
        assert math.isfinite(watched.statistic)
        assert watched.statistic >= watched.threshold if is_alarm else watched.statistic <= watched.threshold


def errors_alone_alarm_and_right_answers_do_not(detector: type[StreamDetector]) -> None:
    """And two instances share nothing."""
    right, wrong = detector.example(), detector.example()
    right.update_many(np.zeros(_ROWS))
    assert right.update_many(np.zeros(_ROWS)) == []
    wrong.update_many(_errors(3)[:1_000])
    assert wrong.update_many(np.ones(_ROWS))
    assert right.update_many(np.zeros(_ROWS)) == []


def an_empty_batch_changes_nothing(detector: type[StreamDetector]) -> None:
    """Nor does it fail."""
    watched = detector.example()
    watched.update_many(_errors(4)[:100])
    before = watched.snapshot()
    assert watched.update_many(np.empty(0)) == []
    assert watched.snapshot() == before


def scoring_changes_nothing(detector: type[BatchDetector]) -> None:
    """Neither the detector nor the window; and the order of columns does not matter."""
    fitted, window = _fitted(detector), _columns(_frame(5, 500))
    kept = {name: list(column) for name, column in window.items()}
    first = fitted.score(window, window["number"])
    assert fitted.score(dict(reversed(window.items())), window["number"]) == first
    assert all(repr(list(window[name])) == repr(column) for name, column in kept.items())


def the_reference_itself_does_not_alarm(detector: type[BatchDetector]) -> None:
    """Its own windows are within its own gates."""
    fitted, reference = _fitted(detector), _frame(0, _ROWS)
    for start in range(0, _ROWS, 500):
        part = reference[start : start + 500]
        assert fitted.score(_columns(part), part["number"].to_numpy()).alarms == []


def what_moved_is_named_first(detector: type[BatchDetector]) -> None:
    """A feature that is far off, another that is a little, and one that is not there."""
    window = _columns(_frame(6, 500))
    window["number"] = window["number"] + 0.8
    window["word"] = ["new"] * 500
    assert _fitted(detector).score(window).alarms == ["word", "number"]
    del window["flag"]
    assert set(_fitted(detector).score(window).alarms) == {"word", "number", "flag"}


def a_window_of_no_rows_says_nothing(detector: type[BatchDetector]) -> None:
    """Nor does it fail."""
    assert _fitted(detector).score({}).alarms == []
    assert _fitted(detector).score({"number": np.empty(0)}).alarms == []


_STREAM_CHECKS = (
    batches_alarm_where_single_values_do,
    a_restored_copy_goes_on_alike,
    an_alarm_is_a_statistic_beyond_its_threshold,
    errors_alone_alarm_and_right_answers_do_not,
    an_empty_batch_changes_nothing,
)
_BATCH_CHECKS = (
    scoring_changes_nothing,
    the_reference_itself_does_not_alarm,
    what_moved_is_named_first,
    a_window_of_no_rows_says_nothing,
)


def _errors(seed: int) -> np.ndarray:
    """A tenth errors, then a third of them."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.random(_ROWS) < 0.1, rng.random(_ROWS) < 0.33])


def _frame(seed: int, rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    words = rng.choice(["a", "b", "c"], rows, p=[0.6, 0.3, 0.1])
    number = np.where(rng.random(rows) < 0.05, np.nan, rng.normal(size=rows))
    return pd.DataFrame({"number": number, "word": words, "flag": rng.random(rows) < 0.5})


def _columns(frame: pd.DataFrame) -> dict[str, np.ndarray | list]:
    return {"number": frame["number"].to_numpy(), "word": frame["word"].tolist(), "flag": frame["flag"].tolist()}


def _fitted(detector: type[BatchDetector]) -> BatchDetector:
    profile = profile_of(
        _frame(0, _ROWS),
        features=["number", "word", "flag"],
        label=None,
        predict=lambda frame: frame["number"].to_numpy(),
        window_rows=500,
    )
    return detector.fit(profile, Settings(window_rows=500))
