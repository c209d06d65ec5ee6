"""Every kind of column, moved and not. The shares themselves are measured by tests/bench/bench_windows.py."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter

from leeway.settings import Settings
from monitoring.detectors.data_drift import DataDrift
from monitoring.reference import profile_of

REFERENCE, WINDOW = 5_000, 1_000


def mixed(rng, rows):
    number = rng.normal(size=rows)
    return pd.DataFrame(
        {
            "binary": (rng.random(rows) < 0.8).astype(float),
            "constant": np.ones(rows),
            "sparse": np.where(rng.random(rows) < 0.7, np.nan, rng.normal(size=rows)),
            "word": rng.choice(["a", "b", "c"], rows, p=[0.7, 0.2, 0.1]).astype(object),
            "identifier": np.array([f"id-{i}" for i in rng.integers(0, 1_000_000, rows)], object),
            "number": number,
            "follower": 0.8 * number + 0.6 * rng.normal(size=rows),
        }
    )


def independent(rng, rows):
    return pd.DataFrame(rng.normal(size=(rows, 10))).add_prefix("f")


def correlated(rng, rows):
    noise = rng.normal(size=(rows + 200, 10)) * np.sqrt(1 - 0.81)
    return pd.DataFrame(lfilter([1], [1, -0.9], noise, axis=0)[200:]).add_prefix("f")


def columns(frame):
    return {name: frame[name].to_numpy() if frame[name].dtype != object else frame[name].tolist() for name in frame}


def fitted(reference, settings=Settings()):  # noqa: B008
    profile = profile_of(
        reference, features=list(reference), label=None, predict=lambda rows: (rows.iloc[:, 0] > 0).to_numpy(int)
    )
    return DataDrift.fit(profile, settings)


def scored(detector, frame, outputs=None):
    """Each window of a frame, with those before it where the detector wants that."""
    slow = frame[[name for name in detector.slow_names if name in frame]]
    for stop in range(WINDOW, len(frame) + 1, WINDOW):
        start = max(stop - detector.windows * WINDOW, 0)
        together = columns(slow[start:stop]) if len(slow.columns) and stop - start > WINDOW else None
        yield detector.score(columns(frame[stop - WINDOW : stop]), outputs, together=together)


@pytest.fixture(scope="module")
def detector():
    return fitted(mixed(np.random.default_rng(0), REFERENCE))


def first(rows, name, share, value):
    values = rows[name].tolist()
    count = int(share * len(values))
    return [value] * count + values[count:]


FAULTS = {
    "binary": ("shape", lambda rows, rng: (rng.random(len(rows)) < 0.7).astype(float)),
    "constant": ("out_of_range", lambda rows, rng: (rng.random(len(rows)) < 0.95) * 1.0),
    "sparse": ("missing", lambda rows, rng: rows["sparse"].where(rng.random(len(rows)) < 2 / 3)),
    "sparse ": ("location", lambda rows, rng: rows["sparse"] + 0.7),
    "word": ("unseen", lambda rows, rng: first(rows, "word", 0.02, "new")),
    "word ": ("shape", lambda rows, rng: first(rows, "word", 0.2, "c")),
    "identifier": ("constant", lambda rows, rng: ["id-0"] * len(rows)),
    "number": ("constant", lambda rows, rng: np.zeros(len(rows))),
    "number ": ("type_change", lambda rows, rng: np.array(first(rows, "number", 0.01, "n/a"), object)),
    "number  ": ("out_of_range", lambda rows, rng: first(rows, "number", 0.03, 50.0)),
    "number   ": ("missing", lambda rows, rng: first(rows, "number", 0.05, np.nan)),
    "follower": ("correlation", lambda rows, rng: rng.normal(size=len(rows))),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_column_that_goes_astray_is_named_with_its_cause(detector, fault):
    name, (cause, change) = fault.strip(), FAULTS[fault]
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


@pytest.mark.parametrize(("frames", "most"), [(mixed, 0.03), (independent, 0.03), (correlated, 0.08)])
def test_where_nothing_moved_few_windows_alarm(frames, most):
    """In the long run at most .015, .015 and .05."""
    alarms = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        found = fitted(frames(rng, REFERENCE))
        alarms += [bool(result.alarms) for result in scored(found, frames(rng, 40 * WINDOW))]
    assert np.mean(alarms) <= most


@pytest.mark.parametrize(("frames", "shift"), [(independent, 0.2), (correlated, 0.5)])
def test_one_feature_of_ten_that_moves_a_little_is_named(frames, shift):
    named = []
    for seed in range(5):
        rng = np.random.default_rng((seed, 1))
        detector, rows = fitted(frames(rng, REFERENCE)), frames(rng, 16 * WINDOW)
        rows.loc[4 * WINDOW :, "f3"] += shift
        named += ["f3" in result.alarms for result in scored(detector, rows)][4 + detector.windows - 1 :]
    assert np.mean(named) >= 0.75


def test_correlated_rows_are_looked_at_together():
    assert fitted(independent(np.random.default_rng(0), REFERENCE)).windows == 1
    assert fitted(correlated(np.random.default_rng(0), REFERENCE)).windows > 1


def test_a_move_that_is_sure_but_does_not_matter_is_no_alarm():
    rng = np.random.default_rng(3)
    reference, rows = independent(rng, REFERENCE), independent(rng, WINDOW)
    rows["f3"] += 0.3
    careful = fitted(reference, replace(Settings(), window_gate_wasserstein=0.6))
    assert fitted(reference).score(columns(rows)).alarms == ["f3"]
    result = careful.score(columns(rows))
    assert result.alarms == []
    assert result.features["f3"].p_value < 1e-6 and 0.2 < result.features["f3"].effect < 0.6


def test_predictions_that_move_alarm_by_themselves():
    rng = np.random.default_rng(4)
    detector, rows = fitted(independent(rng, REFERENCE)), independent(rng, WINDOW)
    assert detector.score(columns(rows), (rows["f0"] > 0).to_numpy(int)).alarms == []
    assert detector.score(columns(rows), (rows["f0"] > 0.5).to_numpy(int)).alarms == ["prediction"]


def test_what_alarms_comes_strongest_first_with_both_sides_and_its_rows():
    rng = np.random.default_rng(5)
    detector, rows = fitted(independent(rng, REFERENCE)), independent(rng, WINDOW)
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
