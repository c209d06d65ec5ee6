import numpy as np
from scipy.stats import false_discovery_control

from monitoring.detectors.benjamini_hochberg import benjamini_hochberg


def test_it_is_what_scipy_has():
    rng = np.random.default_rng(0)
    for m in (1, 2, 10, 101):
        p = rng.random(m) ** 3
        assert np.allclose(benjamini_hochberg(p), false_discovery_control(p))


def test_a_test_that_could_not_be_made_counts_but_rejects_nothing():
    assert benjamini_hochberg(np.array([0.01, np.nan])).tolist() == [0.02, 1.0]


def test_ties_get_one_value():
    assert benjamini_hochberg(np.array([0.02, 0.02, 0.9])).round(6).tolist() == [0.03, 0.03, 0.9]
