import numpy as np
import pytest
from scipy.stats import binom, hypergeom

from monitoring.detectors.rates import more_often, other_share


def arrays(*values):
    return [np.array([value], float) for value in values]


def test_more_often_is_the_conditional_binomial_test():
    expected = binom.sf(11, 12 + 30, 1_000 / 6_000)
    assert more_often(*arrays(12, 1_000, 30, 5_000))[0] == pytest.approx(expected)


def test_no_events_prove_nothing():
    assert more_often(*arrays(0, 1_000, 0, 5_000)).tolist() == [1.0]
    assert other_share(*arrays(0, 1_000, 0, 5_000)).tolist() == [1.0]
    assert other_share(*arrays(0, 0, 10, 5_000)).tolist() == [1.0]


def test_one_event_that_the_reference_never_had_is_no_proof_but_ten_are():
    assert more_often(*arrays(1, 1_000, 0, 5_000))[0] == pytest.approx(1 / 6)
    assert more_often(*arrays(10, 1_000, 0, 5_000))[0] < 1e-7


@pytest.mark.parametrize("share", [0.001, 0.02, 0.3, 0.7, 0.99])
def test_two_sided_false_alarms_keep_to_their_level(share):
    rng = np.random.default_rng(0)
    k, k_reference = rng.binomial(1_000, share, 20_000), rng.binomial(5_000, share, 20_000)
    n, m = np.full(20_000, 1_000.0), np.full(20_000, 5_000.0)
    assert (other_share(k, n, k_reference, m) < 0.01).mean() < 0.0125


@pytest.mark.parametrize("k", [660, 740])
def test_frequent_events_are_seen_to_move_either_way(k):
    exact = 2 * min(hypergeom.cdf(k, 6_000, k + 3_500, 1_000), hypergeom.sf(k - 1, 6_000, k + 3_500, 1_000))
    assert other_share(*arrays(k, 1_000, 3_500, 5_000))[0] == pytest.approx(exact, rel=0.15)
