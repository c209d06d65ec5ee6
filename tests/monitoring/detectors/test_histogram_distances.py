import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency

from monitoring.detectors.histogram_distances import histogram_distances

COUNTS = np.array([[10, 20, 30, 0, 0], [5, 5, 0, 10, 0], [0, 0, 40, 0, 0]])
REFERENCE = np.array([[100, 250, 200, 0, 0], [50, 60, 3, 90, 0], [500, 10, 0, 0, 0]])


def test_distances_are_those_of_scipy():
    found = histogram_distances(COUNTS, REFERENCE)
    for i, (counts, reference) in enumerate(zip(COUNTS, REFERENCE)):
        q, p = counts / counts.sum(), reference / reference.sum()
        used = counts + reference > 0
        assert found["jensen_shannon"][i] == pytest.approx(jensenshannon(p, q, 2))
        assert found["hellinger"][i] == pytest.approx(np.linalg.norm(np.sqrt(p) - np.sqrt(q)) / np.sqrt(2))
        assert found["total_variation"][i] == pytest.approx(np.abs(p - q).sum() / 2)
        exact = chi2_contingency([counts[used], reference[used]], correction=False).statistic
        assert found["chi_square"][i] == pytest.approx(exact)


def test_distributions_that_share_nothing_are_as_far_apart_as_can_be():
    found = histogram_distances(np.array([[0, 7]]), np.array([[9, 0]]))
    assert found["jensen_shannon"] == found["hellinger"] == found["total_variation"] == 1.0
    assert np.isfinite(found["psi"]).all()


def test_equal_shares_have_no_distance():
    found = histogram_distances(np.array([[1, 2, 0]]), np.array([[10, 20, 0]]))
    assert {name: round(float(values[0]), 7) for name, values in found.items()} == dict.fromkeys(found, 0.0)


def test_a_window_without_values_is_no_error():
    found = histogram_distances(np.array([[0, 0]]), np.array([[5, 5]]))
    assert all(np.isfinite(values).all() for values in found.values())


def test_psi_is_that_of_the_textbook():
    found = histogram_distances(np.array([[30, 70]]), np.array([[50, 50]]))
    assert found["psi"][0] == pytest.approx(0.2 * np.log(0.7 / 0.5) - 0.2 * np.log(0.3 / 0.5))
