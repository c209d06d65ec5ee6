"""What several models said, as one answer."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from serving.errors import ModelFailed
from serving.types import Prediction


def average(predictions: Sequence[Prediction]) -> Prediction:
    """The mean. Of classifiers that know their classes, and the same ones, it is that of the probabilities, with the
    most probable class as the output; else that of the outputs, element by element. ModelFailed where there is none.
    """
    classes = predictions[0].classes
    if classes and all(each.probabilities is not None and each.classes == classes for each in predictions):
        mean = _mean_rows([each.probabilities for each in predictions])
        return Prediction([classes[row.index(max(row))] for row in mean], mean, classes=classes)
    return Prediction(_mean([each.outputs for each in predictions]).tolist())


def vote(predictions: Sequence[Prediction]) -> Prediction:
    """Row by row what most of them say; of equals what the first of them says. ModelFailed where they answer different
    numbers of rows."""
    if len({len(each.outputs) for each in predictions}) > 1:
        counts = ", ".join(str(len(each.outputs)) for each in predictions)
        raise ModelFailed(f"there is no vote on {counts} rows; all children have to answer the same rows")
    return Prediction([_winner(said) for said in zip(*(each.outputs for each in predictions))])


def _winner(said: Sequence[Any]) -> Any:
    ballots = [orjson.dumps(each) for each in said]
    counts = Counter(ballots)
    return said[ballots.index(max(ballots, key=lambda each: counts[each]))]


def _mean_rows(values: list[list[list[float]]]) -> list[list[float]]:
    """Of rows as long as each other; without numpy, which takes longer for the few that a request has."""
    count = len(values)
    if any(len(each) != len(values[0]) for each in values):
        return _mean(values).tolist()
    if count == 2:  # the most common, and without a call for each cell
        return [[(one + other) / 2 for one, other in zip(*rows)] for rows in zip(*values)]
    return [[sum(cell) / count for cell in zip(*rows)] for rows in zip(*values)]


def _mean(values: list[Any]) -> np.ndarray:
    try:
        return np.add.reduce(np.array(values, np.float64)) / len(values)
    except (TypeError, ValueError):
        raise ModelFailed(
            f"there is no mean of {values!r:.100}; the children have to answer with numbers, as many each. For others "
            "there is VOTING_COMBINER"
        ) from None
