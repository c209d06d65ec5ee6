"""Class probabilities of rows that the model was not fitted on."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from leeway.profile import HeldOut

from .detectors.values import category

_MOST_VALUES = 200_000


def held_out_rows(
    probabilities: np.ndarray, outputs: Sequence[Any], truths: Sequence[Any], classes: Sequence[Any]
) -> HeldOut | None:
    """Probabilities, shape (n, classes), beside what was answered and true, each of shape (n,).

    `classes` holds values of which each class is one; columns are taken to be in their order, as scikit-learn's are.
    None where there are not as many classes as columns, or where they have no order: then it is not known which
    column is whose. Rows whose truth is missing are left out; evenly thinned to at most 200,000 probabilities.
    """
    names = _ordered(classes)
    if probabilities.shape != (len(outputs), len(names)):
        return None
    codes = {name: code for code, name in enumerate(names)}
    known = np.array([i for i, truth in enumerate(truths) if category(truth) is not None], int)
    most = max(_MOST_VALUES // len(names), 1)
    rows = known if len(known) <= most else known[np.linspace(0, len(known) - 1, most).astype(int)]
    return HeldOut(
        classes=names,
        rows=len(rows),
        probabilities=np.ascontiguousarray(probabilities[rows], "<f4").tobytes(),
        predicted=_coded(outputs, rows, codes),
        truth=_coded(truths, rows, codes),
    )


def _ordered(classes: Sequence[Any]) -> list[str]:
    values = {name: value for value in classes if (name := category(value)) is not None}
    try:
        return sorted(values, key=values.get)
    except TypeError:
        return []


def _coded(values: Sequence[Any], rows: np.ndarray, codes: dict[str, int]) -> bytes:
    return np.array([codes[category(values[i])] for i in rows], "<u2").tobytes()
