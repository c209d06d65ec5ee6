import numpy as np
import pytest
from scipy.stats import chi2_contingency

from monitoring.detectors.categorical_drift import CategoricalDrift
from monitoring.detectors.evidence import SHAPE, UNSEEN
from monitoring.feature_profile import feature_profile


def compared(reference, window):
    return CategoricalDrift([feature_profile("f", reference, "categorical")], len(window)).score([window], len(window))


def words(rng, rows, shares=(0.5, 0.3, 0.15, 0.05)):
    return rng.choice(list("abcd"), rows, p=shares).tolist()


@pytest.mark.parametrize("shares", [(0.5, 0.3, 0.15, 0.05), (0.45, 0.3, 0.2, 0.05)])
def test_the_test_is_that_of_scipy(shares):
    rng = np.random.default_rng(0)
    reference, window = words(rng, 5_000), words(rng, 1_000, shares)
    table = [[column.count(word) for word in "abcd"] for column in (window, reference)]
    exact = chi2_contingency(table, correction=False)
    found = compared(reference, window)
    inflation = feature_profile("f", reference).inflation.shape
    assert found.metrics["chi_square"][0] == pytest.approx(exact.statistic)
    assert inflation == pytest.approx(1.0, abs=0.1)
    assert found.p_values[SHAPE][0] == pytest.approx(exact.pvalue, rel=0.35, abs=1e-9)


def test_a_category_that_was_never_seen_is_counted_and_tested():
    rng = np.random.default_rng(1)
    reference, window = words(rng, 5_000), [*words(rng, 980), *["new"] * 20]
    found = compared(reference, window)
    assert found.shares["unseen"].tolist() == [0.02]
    assert found.p_values[UNSEEN][0] < 1e-12
    assert compared(reference, [*window[:999], "new"]).shares["unseen"].tolist() == [0.02]


@pytest.mark.parametrize("distinct", [3_000, 1_000_000])
def test_identifiers_that_are_always_new_do_not_alarm(distinct):
    rng = np.random.default_rng(2)
    reference, window = ([f"id-{i}" for i in rng.integers(0, distinct, n)] for n in (5_000, 1_000))
    found = compared(reference, window)
    assert found.p_values[UNSEEN][0] > 0.001
    assert found.p_values[SHAPE][0] > 0.001


def test_identifiers_that_become_one_do():
    rng = np.random.default_rng(3)
    reference = [f"id-{i}" for i in rng.integers(0, 1_000_000, 5_000)]
    assert compared(reference, ["id-none"] * 1_000).p_values["constant"][0] < 1e-100


def test_rare_categories_do_not_make_the_test_lie():
    rng = np.random.default_rng(4)
    reference = [f"c{i}" for i in rng.zipf(1.5, 5_000)]
    detector = CategoricalDrift([feature_profile("f", reference)], 1_000)
    windows = [[f"c{i}" for i in rng.zipf(1.5, 1_000)] for _ in range(200)]
    assert np.mean([detector.score([window], 1_000).p_values[SHAPE][0] < 0.05 for window in windows]) < 0.1


def test_booleans_come_in_every_form():
    rng = np.random.default_rng(5)
    truth = rng.random(1_000) < 0.4
    reference = (rng.random(5_000) < 0.4).astype(float)
    forms = (truth, truth.tolist(), truth.astype(float), truth.astype(int).tolist())
    found = {float(compared(reference, form).metrics["chi_square"][0]) for form in forms}
    assert len(found) == 1
    assert all(compared(reference, form).shares["type_change"] == 0 for form in forms)
    assert compared(reference, ["true" if t else "false" for t in truth]).shares["type_change"] == 1


@pytest.mark.parametrize("distinct", [300, 1_500, 3_000, 20_000])
def test_as_many_new_categories_come_as_the_reference_lets_expect(distinct):
    rng = np.random.default_rng(6)
    found = []
    for _ in range(20):
        reference, window = ([f"id-{i}" for i in rng.integers(0, distinct, n)] for n in (5_000, 1_000))
        feature = feature_profile("f", reference, "categorical")
        unseen = CategoricalDrift([feature], 1_000).score([window], 1_000).shares["unseen"][0]
        found.append(unseen - (feature.rest + feature.borderline) / feature.rows)
    assert np.mean(found) == pytest.approx(0.0, abs=0.01)
