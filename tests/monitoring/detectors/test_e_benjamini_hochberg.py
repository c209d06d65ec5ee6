import numpy as np

from monitoring.detectors.e_benjamini_hochberg import e_benjamini_hochberg


def test_one_large_value_needs_the_whole_bound_and_equal_ones_share_it():
    assert e_benjamini_hochberg(np.array([99.0, 1.0]), 100.0).tolist() == [False, False]
    assert e_benjamini_hochberg(np.array([100.0, 1.0]), 100.0).tolist() == [True, False]
    assert e_benjamini_hochberg(np.array([25.0, 25.0, 25.0, 25.0, 1.0]), 100.0).tolist() == [True] * 4 + [False]
    assert e_benjamini_hochberg(np.array([]), 100.0).tolist() == []


def test_the_false_discovery_rate_is_kept_where_all_hang_together():
    """Log-normal e-values of ten hypotheses that share most of their noise, two of them wrong."""
    rng, alpha, shares = np.random.default_rng(0), 0.1, []
    is_wrong, sigma = np.arange(10) < 2, 2.0
    for _ in range(4_000):
        noise = 0.9 * rng.normal() + np.sqrt(1 - 0.81) * rng.normal(size=10)
        e = np.exp(sigma * (noise + np.where(is_wrong, 3.0, 0.0)) - sigma**2 / 2)
        rejected = e_benjamini_hochberg(e, 10 / alpha)
        shares.append((rejected & ~is_wrong).sum() / max(rejected.sum(), 1))
    assert 0 < np.mean(shares) < alpha
