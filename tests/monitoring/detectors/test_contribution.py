import numpy as np
import pytest

from monitoring.detectors.contribution import contribution
from monitoring.feature_profile import feature_profile


def test_the_rows_that_are_new_contribute_most():
    rng = np.random.default_rng(0)
    window = rng.normal(size=500)
    window[[7, 40, 300]] = 30.0, 31.0, 29.0
    found = contribution(feature_profile("f", rng.normal(size=5_000)), window)
    assert set(found.rows[:3]) == {7, 40, 300}
    assert found.now["median"] == pytest.approx(np.median(window))
    assert found.before["median"] == pytest.approx(0.0, abs=0.05)


def test_categories_that_moved_most_are_beside_their_shares():
    reference, window = ["a"] * 700 + ["b"] * 300, ["a"] * 50 + ["b"] * 30 + ["new"] * 20
    found = contribution(feature_profile("f", reference), window)
    assert found.rows == [80, 81, 82, 83, 84]
    assert next(iter(found.now)) in ("a", "others")
    assert (found.before["a"], found.now["a"]) == (0.7, 0.5)
    assert (found.before["others"], found.now["others"]) == (0.0, 0.2)


@pytest.mark.parametrize("column", [np.full(10, np.nan), np.ones(10), [None] * 10, ["text"] * 10])
@pytest.mark.parametrize("reference", [np.full(50, np.nan), np.ones(50), np.arange(50.0), ["a", None] * 25])
def test_every_column_can_be_told_from_every_reference(reference, column):
    found = contribution(feature_profile("f", reference), column)
    assert len(found.rows) == 5
    assert np.isfinite([*found.now.values(), *found.before.values()]).all()
