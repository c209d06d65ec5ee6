import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from monitoring.detectors.quantile_cells import QuantileCells


@pytest.mark.parametrize("rows", [1, 7, 300, 1_000])
def test_the_distance_is_exact_for_every_size_and_tail(rows):
    rng = np.random.default_rng(0)
    samples = [np.sort(np.exp(3 * rng.normal(size=size))) for size in (5_000, 900, 13)]
    values = np.sort(np.exp(3 * rng.normal(size=(3, rows))), axis=1)
    ranks = np.array([sample.searchsorted(window, "right") for sample, window in zip(samples, values)])
    exact = [wasserstein_distance(sample, window) for sample, window in zip(samples, values)]
    assert QuantileCells(samples, rows).distances(values, ranks) == pytest.approx(exact)


def test_ties_are_no_distance():
    sample = np.repeat([0.0, 1.0, 2.0], 100)
    ranks = sample.searchsorted(sample, "right")[None]
    cells = QuantileCells([sample], 300)
    assert cells.distances(sample[None], ranks) == pytest.approx(0.0, abs=1e-9)
    assert cells.distances_within(sample[None] + 5, np.array([0.0]), np.array([2.0])) == pytest.approx(1.0)
