"""The formula against simulated runs."""

import numpy as np
import pytest

from monitoring.detectors.bernoulli_cusum import BernoulliCusum
from monitoring.detectors.run_length import RunLength


@pytest.mark.parametrize("level,rate", [(0.05, 0.05), (0.1, 0.12), (0.1, 0.2), (0.3, 0.3), (0.6, 0.62)])
def test_run_lengths_are_those_of_simulated_runs(level, rate):
    cusum = BernoulliCusum(level, odds=1.6, threshold=3.0)
    rows = 200_000
    alarms = cusum.update_many(np.random.default_rng(0).random(rows) < rate)
    assert RunLength(cusum, np.array([rate])).at(3.0)[0] == pytest.approx(rows / len(alarms), rel=0.2)


def test_a_rate_without_drift_has_a_run_length():
    """Where a step's mean is 0 the formula is one of 0 over 0."""
    cusum = BernoulliCusum(0.1, odds=1.6, threshold=4.0)
    still = -cusum.down / (cusum.up - cusum.down)
    below, at, above = RunLength(cusum, np.array([still - 1e-4, still, still + 1e-4])).at(4.0)
    assert below > at > above
