import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from monitoring.performance.calibration import Calibration, calibration_of


@pytest.mark.parametrize("digits", [2, 12])
def test_it_is_the_isotonic_regression_of_scikit_learn(digits):
    rng = np.random.default_rng(0)
    scores = rng.random(3_000).round(digits)
    outcomes = rng.random(3_000) < scores**2
    wanted = np.linspace(-0.1, 1.1, 500)
    exact = IsotonicRegression(out_of_bounds="clip").fit(scores, outcomes).predict(wanted)
    assert Calibration(scores, outcomes)(wanted) == pytest.approx(exact, abs=1e-12)


def test_scores_that_are_right_are_left_alone():
    scores, outcomes = np.full(1_000, 0.3), np.arange(1_000) % 10 < 3
    assert calibration_of(scores, outcomes.astype(float)) is np.asarray
    rng = np.random.default_rng(1)
    scores = rng.random(2_000)
    biased = calibration_of(scores, (rng.random(2_000) < scores**3).astype(float))
    assert biased(np.array([0.5]))[0] == pytest.approx(0.125, abs=0.08)


def test_it_calibrates_what_nannyml_calibrates():
    """Of scores that are right but for chance; the list is what needs_calibration of NannyML 0.13.1 said."""
    needed = [0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 1, 1, 0, 0, 0, 1]
    found = []
    for seed in range(len(needed)):
        rng = np.random.default_rng(seed)
        scores = rng.random(1_005)
        found.append(int(calibration_of(scores, (rng.random(1_005) < scores).astype(float)) is not np.asarray))
    assert found == needed


def test_scores_that_part_the_classes_are_left_alone():
    scores = np.linspace(0, 1, 200) ** 2
    assert calibration_of(scores, (scores > 0.3).astype(float)) is np.asarray


@pytest.mark.parametrize("outcomes", [[0.0] * 50, [1.0] * 50, [0.0, 1.0]])
def test_too_little_to_learn_from(outcomes):
    scores = np.linspace(0, 1, len(outcomes))
    assert calibration_of(scores, np.array(outcomes))(scores).tolist() == scores.tolist()
