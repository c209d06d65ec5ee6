"""Performance of a classifier without labels."""

import math

import numpy as np

from leeway.profile import HeldOut

from .calibration import calibration_of
from .confusion import METRICS, expected_metrics
from .estimate import Estimate

_TWO_SIDED_95 = 1.96
_RESAMPLES = 50


class Cbpe:
    """Confidence-based performance estimation: how often would a model with these probabilities be right?

    The probabilities of each class are calibrated on rows that the model was not fitted on (isotonic regression, one
    class against the rest, where cross-validation says that it helps; normalised where there are more than two); the
    expected confusion matrix gives the metrics. It sees what a move of the rows does to a model whose probabilities
    stay right. It is blind to concept drift: where the same rows get other truths, the estimate stays where it was.

    Intervals hold the sampling of a window of `rows` rows and of the reference (resampled rows, realised minus expected
    metric), widened by the root of `inflation` where errors are autocorrelated.

    NannyML, Confidence-based performance estimation; C. Guo et al., On calibration of modern neural networks, ICML
    2017.
    """

    def __init__(self, held_out: HeldOut, rows: int, inflation: float = 1.0):
        k = len(held_out.classes)
        scores = np.frombuffer(held_out.probabilities, "<f4").reshape(-1, k).astype(float)
        predicted, truth = np.frombuffer(held_out.predicted, "<u2"), np.frombuffer(held_out.truth, "<u2")
        is_true = (truth[:, None] == np.arange(k)).astype(float)
        self.classes = held_out.classes
        self._calibrations = [
            calibration_of(scores[:, j], is_true[:, j]) for j in (range(1, 2) if k == 2 else range(k))
        ]
        self.reference = expected_metrics(is_true, scores, predicted)
        self._deviations = self._resampled(is_true, scores, predicted, rows)
        self._rows, self._held, self._inflation = rows, len(scores), inflation

    def likely(self, scores: np.ndarray) -> np.ndarray:
        """How likely the truth is each class, shape (n, classes), given what the model said."""
        if scores.shape[1] == 2:
            second = self._calibrations[0](scores[:, 1])
            return np.column_stack([1 - second, second])
        likely = np.column_stack([calibration(scores[:, k]) for k, calibration in enumerate(self._calibrations)])
        total = likely.sum(axis=1, keepdims=True)
        return np.divide(likely, total, out=np.full_like(likely, 1 / likely.shape[1]), where=total > 0)

    def metrics(self, scores: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
        """The expected metrics of rows with these probabilities, shape (n, classes), and answers, shape (n,)."""
        return expected_metrics(self.likely(scores), scores, predicted)

    def estimate(self, scores: np.ndarray, predicted: np.ndarray) -> dict[str, Estimate]:
        """The same with intervals; metrics that are not defined are left out."""
        found = self.metrics(scores, predicted)
        n = max(len(scores), 1)
        widen = math.sqrt(self._inflation * (1 + n / self._held) * self._rows / n) * _TWO_SIDED_95
        return {
            name: Estimate(
                value=value,
                low=max(0.0, value - widen * deviation),
                high=min(1.0, value + widen * deviation),
                reference=float(self.reference[name]),
            )
            for (name, value), deviation in zip(_plain(found), self._deviations.tolist())
            if np.isfinite([value, deviation, self.reference[name]]).all()
        }

    def _resampled(self, is_true: np.ndarray, scores: np.ndarray, predicted: np.ndarray, rows: int) -> np.ndarray:
        """The standard deviation of realised minus expected metrics over windows drawn from the reference."""
        likely, draw = self.likely(scores), np.random.default_rng(0)
        differences = np.full((_RESAMPLES, len(METRICS)), np.nan)
        for i in range(_RESAMPLES if len(scores) else 0):
            some = draw.integers(0, len(scores), rows)
            realised, expected = (
                list(expected_metrics(table[some], scores[some], predicted[some]).values())
                for table in (is_true, likely)
            )
            differences[i] = np.subtract(realised, expected)
        defined = np.isfinite(differences)
        n = np.maximum(defined.sum(axis=0), 1)
        square = np.where(defined, differences, 0.0) ** 2
        return np.where(defined.any(axis=0), np.sqrt(square.sum(axis=0) / n), np.nan)


def _plain(metrics: dict[str, float]) -> list[tuple[str, float]]:
    """Without numpy's types, which cannot be archived."""
    return [(name, float(value)) for name, value in metrics.items()]
