import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import ks_2samp, norm, rankdata, wasserstein_distance

from monitoring.detectors.evidence import LOCATION, SHAPE
from monitoring.detectors.numeric_drift import NumericDrift
from monitoring.feature_profile import feature_profile


def compared(reference, *windows, rows=1_000):
    """The evidence about columns that all have this reference."""
    features = [feature_profile(f"f{i}", reference) for i in range(len(windows))]
    return NumericDrift(features, rows).score(windows, len(windows[0]))


def draws(rng, rows):
    return {
        "normal": rng.normal(size=rows),
        "heavy": np.exp(2 * rng.normal(size=rows)),
        "ties": rng.integers(0, 5, rows).astype(float),
        "zeros": np.where(rng.random(rows) < 0.8, 0.0, rng.exponential(size=rows)),
    }


def van_der_waerden(reference, window):
    """The test as in the books: ranks among all values, and the permutation variance of their scores."""
    scores = norm.ppf(rankdata([*window, *reference]) / (len(window) + len(reference) + 1))
    n, m = len(window), len(reference)
    centred = scores - scores.mean()
    return centred[:n].sum() / np.sqrt(n * m / (n + m) * centred.var(ddof=1))


@pytest.mark.parametrize("kind", ["normal", "heavy", "ties", "zeros"])
@pytest.mark.parametrize("moved", [0.0, 0.15])
def test_distances_and_p_values_are_those_of_scipy(kind, moved):
    rng = np.random.default_rng(3)
    reference, window = draws(rng, 5_000)[kind], draws(rng, 1_000)[kind] + moved
    found = compared(reference, window)
    assert found.metrics["ks"][0] == pytest.approx(ks_2samp(reference, window).statistic, abs=1e-12)
    spread = feature_profile("f", reference).spread
    exact = wasserstein_distance(reference, window) / spread
    assert found.metrics["wasserstein"][0] == pytest.approx(exact, rel=0.05, abs=2e-3)
    if kind in ("normal", "heavy"):
        asymptotic = ks_2samp(reference, window, method="asymp").pvalue
        assert found.p_values[SHAPE][0] == pytest.approx(asymptotic, rel=0.2)
    # the inflation is an estimate, near 1: of the p-value's normal score it may take a few hundredths
    exact = -abs(van_der_waerden(reference, window))
    z = ndtri(found.p_values[LOCATION][0] / 2)
    if exact > -5:
        assert z == pytest.approx(exact, rel=0.04, abs=0.02)
    else:  # far from the reference, ranks in it alone are others than those in both
        assert z < -5


def test_missing_values_leave_the_others_comparable():
    rng = np.random.default_rng(0)
    reference, window = rng.normal(size=5_000), rng.normal(size=300)
    sparse = np.full(1_000, np.nan)
    sparse[rng.choice(1_000, 300, replace=False)] = window
    found = compared(reference, sparse)
    assert found.metrics["ks"][0] == pytest.approx(ks_2samp(reference, window).statistic)
    assert found.metrics["wasserstein"][0] == pytest.approx(wasserstein_distance(reference, window), rel=0.05)
    assert found.shares["missing"].tolist() == [0.7]


def test_columns_beside_each_other_do_not_touch():
    rng = np.random.default_rng(1)
    reference, a, b = rng.normal(size=5_000), rng.normal(size=1_000), rng.normal(1, 2, 1_000)
    gaps = np.where(rng.random(1_000) < 0.5, np.nan, a)
    together = compared(reference, a, b, gaps, np.full(1_000, np.nan))
    for i, window in enumerate((a, b, gaps)):
        alone = compared(reference, window)
        assert {name: values[i] for name, values in together.metrics.items()} == {
            name: values[0] for name, values in alone.metrics.items()
        }
        assert {name: values[i] for name, values in together.p_values.items()} == {
            name: values[0] for name, values in alone.p_values.items()
        }


def test_infinity_is_a_missing_value_as_it_is_in_a_record():
    reference = np.random.default_rng(0).normal(size=2_000)
    found = compared(reference, np.array([np.inf, -np.inf, 0.0, 1.0]))
    assert found.shares["missing"].tolist() == [0.5]
    assert np.isfinite(found.metrics["wasserstein"]).all()


def with_spikes(rng, rows, middle):
    """Normal values, two of a thousand far out."""
    return np.where(rng.random(rows) < 0.002, 1_000.0, rng.normal(middle, 1, rows))


@pytest.mark.parametrize("middle", [0.0, 0.5])
def test_a_heavy_tail_neither_feigns_a_move_of_the_rest_nor_hides_one(middle):
    rng = np.random.default_rng(2)
    reference, windows = with_spikes(rng, 5_000, 0.0), [with_spikes(rng, 1_000, middle) for _ in range(20)]
    effects = compared(reference, *windows).effects[SHAPE]
    assert effects == pytest.approx(middle, abs=0.12)
    plain = [wasserstein_distance(reference, window) / reference.std() for window in windows]
    assert max(plain) < 0.1 and np.ptp(plain) > 0.02


def test_where_almost_all_values_are_the_same_the_others_count_as_they_are():
    rng = np.random.default_rng(4)
    reference, window = (np.where(rng.random(n) < 0.005, rng.normal(9, 1, n), 0.0) for n in (5_000, 1_000))
    assert compared(reference, window, window + 0.1).effects[SHAPE][1] > compared(reference, window).effects[SHAPE][0]


def test_a_reference_without_values_can_be_compared_with():
    found = compared(np.full(1_000, np.nan), np.full(1_000, np.nan), np.ones(1_000))
    assert found.p_values["missing"][1] < 1e-100
    assert found.p_values[SHAPE].tolist() == found.p_values[LOCATION].tolist() == [1.0, 1.0]
    assert all(np.isfinite(values).all() for values in found.metrics.values())
