"""How often a model errs: what an error is, and how much one knows of its rate from rows in time order."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from leeway.errors import ProfileError
from leeway.profile import REGRESSION, ErrorLevel, Profile

from .detectors.correlation import correlation
from .detectors.values import category, numbers_of


def error_of(profile: Profile) -> Callable[[Sequence[Any], Sequence[Any]], np.ndarray]:
    """A function of (outputs, truths), each of shape (n,), that gives 1 for an error and 0 for none, int8.

    Classification: the output is not the truth; equal numbers are equal whatever their type, and as text.
    Regression: |output - truth| exceeds the profile's tolerance. An answer that is missing, or that cannot be
    compared, is an error.
    """
    if profile.task != REGRESSION:
        return mismatches
    tolerance = profile.tolerance
    if tolerance is None:
        raise ProfileError("the profile of a regression has no tolerance: profile the model again, with its label")
    return lambda outputs, truths: (~(residuals(outputs, truths) <= tolerance)).astype(np.int8)


def mismatches(outputs: Sequence[Any], truths: Sequence[Any]) -> np.ndarray:
    """1 where an output is not its truth, int8 of shape (n,)."""
    return np.array([_differs(output, truth) for output, truth in zip(_listed(outputs), _listed(truths))], np.int8)


def residuals(outputs: Sequence[Any], truths: Sequence[Any]) -> np.ndarray:
    """|output - truth|, NaN where one of them is no number; shape (n,)."""
    return np.abs(_numbers(outputs) - _numbers(truths))


def error_level_from(errors: np.ndarray, source: str = "warming") -> ErrorLevel:
    """The error level of rows that the model was not fitted on: errors 0 or 1, shape (n,), in time order."""
    raised = np.asarray(errors) != 0
    if not len(raised):
        raise ProfileError("no rows to set an error level from: keep some back, or let the first labelled rows set it")
    inflation, block = correlation(raised)
    return ErrorLevel(
        rows=len(raised),
        errors=int(raised.sum()),
        sequence=np.packbits(raised).tobytes(),
        inflation=inflation,
        block=block,
        source=source,
    )


def sequence_of(level: ErrorLevel) -> np.ndarray:
    """The errors of a level in time order, bool of shape (rows,)."""
    return np.unpackbits(np.frombuffer(level.sequence, np.uint8), count=level.rows).astype(bool)


def _differs(output: Any, truth: Any) -> bool:
    if output is None:
        return True
    return output != truth and category(_bare(output)) != category(_bare(truth))


def _listed(values: Sequence[Any]) -> list[Any]:
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


def _bare(value: Any) -> Any:
    """An output of one number in a list of its own is that number."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _numbers(values: Sequence[Any]) -> np.ndarray:
    return numbers_of(np.array([_bare(value) for value in _listed(values)], object))
