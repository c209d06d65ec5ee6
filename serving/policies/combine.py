"""What several models said, as one answer."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from serving.errors import ModelFailed
from serving.most_probable import most_probable
from serving.types import Prediction


def average(predictions: Sequence[Prediction]) -> Prediction:
    """The mean. Of classifiers that know their classes, and the same ones, it is that of the probabilities, with the
    most probable class as the output; else that of the outputs, element by element. ModelFailed where there is none.
    """
    classes, probabilities = predictions[0].classes, [each.probabilities for each in predictions]
    if classes and None not in probabilities and _are_equal([each.classes for each in predictions]):
        mean = _mean_rows(probabilities, len(classes))
        return Prediction(most_probable(mean, classes), mean, classes=classes)
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


def _are_equal(values: list[Any]) -> bool:
    return values.count(values[0]) == len(values)


def _mean_rows(values: list[list[list[float]]], width: int) -> list[list[float]]:
    """Of rows of `width`; without numpy, which takes longer for the few that a request has."""
    count = len(values)
    if not _are_equal([len(each) for each in values]):
        return _mean(values).tolist()
    if count == width == 2:  # the most common
        return [[(a + c) / 2, (b + d) / 2] for (a, b), (c, d) in zip(*values)]
    if count == 2:  # without a call for each cell
        flat = [(one + other) / 2 for rows in zip(*values) for one, other in zip(*rows)]
    else:
        flat = [sum(cell) / count for rows in zip(*values) for cell in zip(*rows)]
    return [flat[i : i + width] for i in range(0, len(flat), width)]


def _mean(values: list[Any]) -> np.ndarray:
    try:
        return np.add.reduce(np.array(values, np.float64)) / len(values)
    except (TypeError, ValueError):
        raise ModelFailed(
            f"there is no mean of {values!r:.100}; the children have to answer with numbers, as many each. For others "
            "there is VOTING_COMBINER"
        ) from None
