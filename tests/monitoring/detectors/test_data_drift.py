"""Every kind of column, moved and not. The shares themselves are measured by tests/bench/bench_windows.py."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from leeway.settings import Settings
from tests.judged_windows import FAULTS, REFERENCE, WINDOW, Watched, autoregressive, columns, independent, mixed

TEN, TEN_CORRELATED = partial(independent, 10), partial(autoregressive, 10)


def above_zero(rows):
    return (rows.iloc[:, 0] > 0).to_numpy(int)


def fitted(reference, settings=None):
    return Watched(reference, settings, above_zero)


@pytest.fixture(scope="module")
def detector():
    return fitted(mixed(np.random.default_rng(0), REFERENCE)).detector


@pytest.mark.parametrize("fault", FAULTS)
def test_a_column_that_goes_astray_is_named_with_its_cause(detector, fault):
    name, cause, change = FAULTS[fault]
    rng = np.random.default_rng(1)
    rows = mixed(rng, WINDOW)
    rows[name] = change(rows, rng)
    result = detector.score(columns(rows))
    assert name in result.alarms
    assert cause in result.features[name].causes
    assert set(result.alarms) <= {name, "number", "follower"}


def test_a_column_that_does_not_come_is_missing_throughout(detector):
    rows = columns(mixed(np.random.default_rng(2), WINDOW))
    del rows["word"]
    result = detector.score(rows)
    assert result.alarms == ["word"]
    assert result.features["word"].missing_rate == 1.0


@pytest.mark.parametrize(("frames", "most"), [(mixed, 0.03), (TEN, 0.03), (TEN_CORRELATED, 0.08)])
def test_where_nothing_moved_few_windows_alarm(frames, most):
    """In the long run at most .015, .015 and .05."""
    alarms = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        found = fitted(frames(rng, REFERENCE))
        alarms += [bool(result.alarms) for result in found.run(frames(rng, 40 * WINDOW))]
    assert np.mean(alarms) <= most


@pytest.mark.parametrize(("frames", "shift"), [(TEN, 0.2), (TEN_CORRELATED, 0.5)])
def test_one_feature_of_ten_that_moves_a_little_is_named(frames, shift):
    named = []
    for seed in range(5):
        rng = np.random.default_rng((seed, 1))
        watched, rows = fitted(frames(rng, REFERENCE)), frames(rng, 16 * WINDOW)
        rows.loc[4 * WINDOW :, "f3"] += shift
        named += ["f3" in result.alarms for result in watched.run(rows)][4 + watched.detector.windows - 1 :]
    assert np.mean(named) >= 0.75


def test_correlated_rows_are_looked_at_together():
    assert fitted(TEN(np.random.default_rng(0), REFERENCE)).detector.windows == 1
    assert fitted(TEN_CORRELATED(np.random.default_rng(0), REFERENCE)).detector.windows > 1


def test_a_move_that_is_sure_but_does_not_matter_is_no_alarm():
    rng = np.random.default_rng(3)
    reference, rows = TEN(rng, REFERENCE), TEN(rng, WINDOW)
    rows["f3"] += 0.3
    careful = fitted(reference, replace(Settings(), window_gate_wasserstein=0.6)).detector
    assert fitted(reference).detector.score(columns(rows)).alarms == ["f3"]
    result = careful.score(columns(rows))
    assert result.alarms == []
    assert result.features["f3"].p_value < 1e-6 and 0.2 < result.features["f3"].effect < 0.6


def test_predictions_that_move_alarm_by_themselves():
    rng = np.random.default_rng(4)
    detector, rows = fitted(TEN(rng, REFERENCE)).detector, TEN(rng, WINDOW)
    assert detector.score(columns(rows), (rows["f0"] > 0).to_numpy(int)).alarms == []
    assert detector.score(columns(rows), (rows["f0"] > 0.5).to_numpy(int)).alarms == ["prediction"]


def test_what_alarms_comes_strongest_first_with_both_sides_and_its_rows():
    rng = np.random.default_rng(5)
    detector, rows = fitted(TEN(rng, REFERENCE)).detector, TEN(rng, WINDOW)
    rows["f1"] += 0.4
    rows.loc[900:, "f2"] += 3
    rows["f3"] += 1.5
    result = detector.score(columns(rows))
    assert result.alarms[0] == "f3" and set(result.alarms) == {"f1", "f2", "f3"}
    found = result.features["f2"]
    assert len(found.rows) and np.mean(np.array(found.rows) >= 900) > 0.5
    assert result.features["f3"].now["median"] - result.features["f3"].before["median"] == pytest.approx(1.5, abs=0.2)
    assert set(found.metrics) == {
        "psi", "jensen_shannon", "hellinger", "total_variation", "chi_square", "ks", "wasserstein",
    }  # fmt: skip
