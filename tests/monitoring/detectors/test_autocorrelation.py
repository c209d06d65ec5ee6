import numpy as np
import pytest
from scipy.signal import lfilter

from monitoring.detectors.autocorrelation import inflation
from monitoring.detectors.correlation import correlation


def autoregression(phi, series, rows, seed=0):
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(series, rows)) * np.sqrt(1 - phi**2)
    return lfilter([1], [1, -phi], noise, axis=1, zi=phi * rng.normal(size=(series, 1)))[0]


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.9, 0.98])
def test_rows_are_not_taken_for_more_than_they_are_worth(phi):
    found = inflation(autoregression(phi, 30, 5_000))
    assert np.median(found) == pytest.approx((1 + phi) / (1 - phi), rel=0.1)
    assert np.quantile(found, 0.1) > 0.75 * (1 + phi) / (1 - phi)


def test_series_that_say_nothing_have_no_inflation():
    assert inflation(np.ones((1, 500))).tolist() == [1.0]
    assert inflation(np.empty((1, 0))).tolist() == [1.0]
    assert inflation(np.array([[1.0, 2.0]])).tolist() == [1.0]


def test_each_series_is_judged_by_itself():
    a, b = autoregression(0.9, 2, 3_000)
    assert inflation(np.array([a, b])) == pytest.approx([inflation(a[None])[0], inflation(b[None])[0]])


def bursts(rng, rows, length):
    """Errors whose rate is .5 or 0 for `length` rows at a time."""
    return rng.random(rows) < np.repeat(rng.random(rows // length + 1) < 0.4, length)[:rows] * 0.5


def test_independent_errors_are_seldom_taken_for_correlated():
    rng = np.random.default_rng(0)
    assert sum(correlation(rng.random(3_000) < 0.2) != (1.0, 1) for _ in range(200)) < 25


@pytest.mark.parametrize("length", [20, 100])
def test_bursts_are_found_and_blocks_outlast_them(length):
    rng = np.random.default_rng(1)
    found = [correlation(bursts(rng, 5_000, length)) for _ in range(20)]
    # the rate varies by .0600, errors by .2 * .8: a mean over a burst varies as a mean over a constant part of it
    expected = 1 + (0.06 / 0.16) * (length - 1)
    assert np.median([inflated for inflated, _ in found]) == pytest.approx(expected, rel=0.35)
    assert min(block for _, block in found) > length


@pytest.mark.parametrize("errors", [np.zeros(1_000), np.ones(1_000), np.array([1.0]), np.array([0.0, 1.0] * 20)])
def test_errors_that_show_no_correlation_have_none(errors):
    assert correlation(errors) == (1.0, 1)
