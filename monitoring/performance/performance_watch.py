"""The estimated performance of one endpoint, window by window."""

from collections.abc import Mapping
from typing import Any

import msgspec

from leeway.profile import Profile

from ..series import PERFORMANCE, PERFORMANCE_INTERVAL, Points
from ..verdicts import NO_DETECTION, POTENTIAL
from .estimate import Estimate
from .estimator import estimator_for
from .loss_table import ERROR_RATE

DETECTOR = "model_performance"
_BLIND = "concept drift: it takes the relation of rows and truth to be the one of the reference"


class PerformanceWatch:
    """Estimates the metrics of each window of rows, where the profile allows it.

    Nothing of it is an alarm: the status is potential where the estimated error rate is above the one of the reference
    by more than sampling explains.
    """

    def __init__(self, endpoint: str, profile: Profile, rows: int):
        self._endpoint, self._estimate = endpoint, estimator_for(profile, rows)

    def estimate(
        self, columns: Mapping[str, Any], outputs: list[Any], probabilities: list[Any] | None
    ) -> dict[str, Estimate]:
        """The metrics of one window; empty where they cannot be estimated."""
        return {} if self._estimate is None else self._estimate(columns, outputs, probabilities)

    def add_points(self, found: Mapping[str, Estimate], bucket: int, points: Points) -> None:
        for name, estimate in found.items():
            points.extent(PERFORMANCE, self._endpoint, bucket, estimate.value, estimate.value, feature=name)
            points.extent(PERFORMANCE_INTERVAL, self._endpoint, bucket, estimate.low, estimate.high, feature=name)

    @staticmethod
    def judgement(found: Mapping[str, Estimate]) -> dict[str, Any]:
        """What the verdict on a window says: status, statistic, threshold and details."""
        error_rate = found[ERROR_RATE]
        threshold = error_rate.reference + error_rate.value - error_rate.low
        return {
            "detector": DETECTOR,
            "status": POTENTIAL if error_rate.value > threshold else NO_DETECTION,
            "statistic": error_rate.value,
            "threshold": threshold,
            "details": {"estimates": msgspec.to_builtins(dict(found)), "blind_to": _BLIND},
        }
