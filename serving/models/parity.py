"""Whether two forms of a model say the same."""

import numpy as np

from serving.types import InferenceRequest, Prediction

from .base import Model

TOLERANCE = 1e-6
_TIE = 1e-9


def difference(native: Model, compiled: Model, rows: np.ndarray, rounding_decides: bool) -> str:
    """What sets them apart on these rows, shape (n, columns); "" where nothing does.

    Labels have to be equal in value and type; numbers to a millionth of the largest one. `rounding_decides` is for
    models that compute one sum, whose last digit may differ: where two classes are equally likely to nine digits,
    either label is right.
    """
    said, found = (model.predict(InferenceRequest(id="", rows=_plain(rows))) for model in (native, compiled))
    if (said.probabilities is None) != (found.probabilities is None):
        return "one has probabilities, and the other none"
    ties = np.zeros(len(rows), bool)
    if said.probabilities is not None:
        mine, other = np.array(said.probabilities), np.array(found.probabilities)
        if mine.shape != other.shape or not (worst := np.abs(mine - other).max(initial=0)) <= TOLERANCE:
            return f"probabilities differ by up to {worst if mine.shape == other.shape else 'a column'}"
        if rounding_decides and mine.shape[1] > 1:
            top = np.partition(mine, -2, axis=1)
            ties = top[:, -1] - top[:, -2] < _TIE
    return _outputs(said, found, ties)


def _outputs(said: Prediction, found: Prediction, ties: np.ndarray) -> str:
    mine, other = said.outputs, found.outputs
    if mine and type(mine[0]) is float and said.probabilities is None:
        wanted, got = np.array(mine), np.array(other)
        worst = np.abs(wanted - got).max() / max(1.0, np.abs(wanted).max())
        return "" if worst <= TOLERANCE else f"outputs differ by up to {worst:.2g} of the largest"
    wrong = sum(1 for a, b, tie in zip(mine, other, ties) if not tie and (a != b or type(a) is not type(b)))
    return f"{wrong} of {len(mine)} outputs differ" if wrong else ""


def _plain(rows: np.ndarray) -> list:
    return [[None if value != value else value for value in row] for row in rows.tolist()]
