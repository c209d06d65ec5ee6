import numpy as np
import pytest

from monitoring.detectors.bernoulli_cusum import BernoulliCusum


def by_definition(detector, errors):
    """Page's recursion in exact order, nothing vectorised."""
    statistic, alarms = 0.0, []
    for i, error in enumerate(errors):
        statistic = max(0.0, statistic + (detector.up if error else detector.down))
        if statistic > detector.threshold:
            alarms.append(i)
            statistic = 0.0
    return alarms


@pytest.mark.parametrize("level,odds,threshold", [(0.001, 1.5, 3), (0.2, 2, 4), (0.5, 1.2, 2), (0.97, 3, 5)])
def test_long_batches_do_not_drift_away_from_the_recursion_by_rounding(level, odds, threshold):
    detector = BernoulliCusum(level, odds, threshold)
    errors = np.random.default_rng(0).random(100_000) < min(level * 1.3, 0.995)
    expected = by_definition(detector, errors)
    assert expected
    assert detector.update_many(errors) == expected


def test_a_threshold_that_the_statistic_can_meet_exactly_is_not_crossed_by_it():
    detector = BernoulliCusum(0.1, 2.0)
    detector.threshold = 3 * detector.up
    assert detector.update_many(np.ones(4)) == [3]
    assert BernoulliCusum(0.1, 2.0, 3 * detector.up).update_many(np.ones(3)) == []


def test_steps_are_the_log_likelihood_ratios():
    detector = BernoulliCusum(0.2, 1.5)
    raised = 1.5 * 0.25 / (1 + 1.5 * 0.25)
    assert detector.up == pytest.approx(np.log(raised / 0.2), abs=1e-7)
    assert detector.down == pytest.approx(np.log((1 - raised) / 0.8), abs=1e-7)


def test_fewer_errors_never_alarm():
    errors = np.random.default_rng(1).random(200_000) < 0.1
    assert BernoulliCusum(0.2, 1.5, 4.0).update_many(errors) == []
