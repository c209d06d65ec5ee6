"""Which estimate a profile allows."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from leeway.profile import Profile

from ..detectors.values import category
from .cbpe import Cbpe
from .estimate import Estimate
from .loss_table import LossTable

Estimator = Callable[[Mapping[str, Any], list[Any], list[Any] | None], dict[str, Estimate]]


def estimator_for(profile: Profile, rows: int) -> Estimator | None:
    """A function of (columns, outputs, probabilities), each of one value per row, that estimates the metrics of
    windows of `rows` rows; None where the profile holds nothing to estimate with.

    It gives nothing for rows that lack what it rests on: probabilities of every class, answers that are classes.
    """
    inflation = 1.0 if profile.errors is None else profile.errors.inflation
    if profile.held_out is not None and profile.held_out.rows:
        return _Classification(Cbpe(profile.held_out, rows, inflation))
    if profile.losses is not None and profile.prediction is not None:
        features, name = [*profile.features, profile.prediction], profile.prediction.name
        table = LossTable(profile.losses, features, inflation)
        return lambda columns, outputs, _: table.estimate({**columns, name: outputs})
    return None


class _Classification:
    """Takes the rows whose answer is a class and that have a probability for each."""

    def __init__(self, cbpe: Cbpe):
        self._cbpe = cbpe
        self._codes = {name: code for code, name in enumerate(cbpe.classes)}

    def __call__(
        self, _: Mapping[str, Any], outputs: list[Any], probabilities: list[Any] | None
    ) -> dict[str, Estimate]:
        k = len(self._codes)
        answers = [self._codes.get(category(output), -1) for output in outputs]
        rows = [
            (code, given)
            for code, given in zip(answers, probabilities or ())
            if code >= 0 and given is not None and len(given) == k and None not in given
        ]
        if not rows:
            return {}
        predicted, scores = zip(*rows)
        return self._cbpe.estimate(np.array(scores, float), np.array(predicted))
