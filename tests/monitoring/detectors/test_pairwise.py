import numpy as np
import pandas as pd
import pytest

from leeway.settings import Settings
from monitoring.detectors.data_drift import DataDrift
from monitoring.detectors.pairwise import correlations
from monitoring.reference import profile_of

NAMES = [f"f{i}" for i in range(6)]


def rows(rng, n, r=0.8, gaps=0.0):
    """Six normal columns, of which the first two go together by r."""
    x = rng.normal(size=(n, 6))
    x[:, 1] = r * x[:, 0] + np.sqrt(1 - r * r) * x[:, 1]
    return np.where(rng.random(x.shape) < gaps, np.nan, x)


def fitted(reference):
    frame = pd.DataFrame(reference, columns=NAMES)
    profile = profile_of(frame, features=NAMES, label=None, predict=lambda given: np.zeros(len(given)))
    detector = DataDrift.fit(profile, Settings())
    return lambda window: detector.score(dict(zip(NAMES, window.T)))


@pytest.mark.parametrize("before, now", [(0.8, 0.0), (0.0, 0.5), (0.5, -0.5)])
@pytest.mark.parametrize("gaps", [0.0, 0.2])
def test_a_correlation_that_breaks_or_begins_is_seen_and_both_are_named(before, now, gaps):
    rng = np.random.default_rng(0)
    result = fitted(rows(rng, 5_000, before, gaps))(rows(rng, 1_000, now, gaps))
    assert sorted(result.alarms) == ["f0", "f1"]
    found = result.features["f0"]
    assert (found.causes, found.partner) == (["correlation"], "f1")
    assert (found.correlation_before, found.correlation) == pytest.approx((before, now), abs=0.1)
    assert found.effect < found.gate


@pytest.mark.parametrize("gaps", [0.0, 0.7])
def test_where_nothing_moved_few_windows_alarm(gaps):
    """Gaps leave fewer rows to each pair, which is no reason to be surer of them."""
    rng = np.random.default_rng(1)
    alarms = []
    for _ in range(4):
        score = fitted(rows(rng, 5_000, gaps=gaps))
        alarms += [bool(score(rows(rng, 1_000, gaps=gaps)).alarms) for _ in range(40)]
    assert np.mean(alarms) <= 0.03


def test_heavy_tails_and_runs_do_not_feign_a_change():
    rng = np.random.default_rng(2)

    def common(n):
        """Uncorrelated columns whose size swells and ebbs together."""
        swell = np.exp(np.repeat(rng.normal(size=n // 50), 50))
        return rng.normal(size=(n, 6)) * swell[:, None]

    score = fitted(common(5_000))
    causes = [f.causes for _ in range(60) for f in score(common(1_000)).features.values()]
    assert sum("correlation" in found for found in causes) <= 2


def test_a_moved_mean_or_spread_is_no_change_of_correlation():
    rng = np.random.default_rng(3)
    score = fitted(rows(rng, 5_000))
    result = score(rows(rng, 1_000) * 1.3 + 0.4)
    assert set(result.alarms) == set(NAMES)
    assert not any("correlation" in found.causes for found in result.features.values())


@pytest.mark.parametrize("gaps", [0.0, 0.3])
def test_correlations_are_those_of_pandas(gaps):
    rng = np.random.default_rng(4)
    values = rows(rng, 500, gaps=gaps)
    values[:, 5] = 1.0
    found, counted = correlations(values.T)
    exact = pd.DataFrame(values).corr().fillna(0.0).to_numpy()
    off = ~np.eye(6, dtype=bool)
    assert found[off] == pytest.approx(exact[off])
    present = (~np.isnan(values)).astype(int)
    assert counted.tolist() == (present.T @ present).tolist()


def test_a_copy_of_a_column_that_is_no_longer_one_is_seen():
    rng = np.random.default_rng(5)
    reference, window = rows(rng, 5_000), rows(rng, 1_000)
    reference[:, 3] = reference[:, 2]
    window[:, 3] = window[:, 2] + 0.3 * rng.normal(size=1_000)
    window[:, 3] /= window[:, 3].std()
    assert sorted(fitted(reference)(window).alarms) == ["f2", "f3"]
