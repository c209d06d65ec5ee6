import numpy as np
import pandas as pd
import pytest

from monitoring.performance.loss_table import LossTable
from monitoring.reference import profile_of


def frame(rng, rows, hard=0.3, noise=1.0):
    """Rows of two sites, of which one is hard; a column that says nothing; gaps."""
    site = np.where(rng.random(rows) < hard, "north", "south")
    size = np.where(rng.random(rows) < 0.05, np.nan, rng.gamma(2, size=rows))
    scale = noise * np.where(site == "north", 4.0, 1.0) * (1 + np.nan_to_num(size))
    return pd.DataFrame({"site": site, "size": size, "idle": rng.normal(size=rows), "y": rng.normal(size=rows) * scale})


def answers(rows):
    return np.zeros(len(rows)) + rows["idle"].to_numpy() / 100


def table_of(rows):
    profile = profile_of(
        rows, features=["site", "size", "idle"], label="y", predict=answers, held_out=slice(None), task="regression"
    )
    table = LossTable(profile.losses, [*profile.features, profile.prediction])

    def estimate(some):
        columns = {"site": some["site"].tolist(), "size": some["size"].to_numpy(), "idle": some["idle"].to_numpy()}
        return table.estimate({**columns, profile.prediction.name: answers(some)})

    return estimate


def realised(rows):
    residuals = np.abs(rows["y"].to_numpy() - answers(rows))
    return {"mae": residuals.mean(), "rmse": np.sqrt((residuals**2).mean())}


def test_harder_rows_are_seen():
    rng = np.random.default_rng(0)
    estimate, moved = table_of(frame(rng, 8_000)), frame(rng, 4_000, hard=0.8)
    found = estimate(moved)
    for name, value in realised(moved).items():
        assert found[name].value == pytest.approx(value, rel=0.1)
        assert found[name].value > 1.3 * found[name].reference
    assert found["error_rate"].low > found["error_rate"].reference == pytest.approx(0.1, abs=0.001)


def test_intervals_hold_the_realised_metrics():
    rng = np.random.default_rng(1)
    estimate = table_of(frame(rng, 8_000))
    inside = {"mae": [], "rmse": []}
    for _ in range(60):
        window = frame(rng, 500)
        found = estimate(window)
        for name, value in realised(window).items():
            inside[name].append(found[name].low <= value <= found[name].high)
    assert all(np.mean(hits) >= 0.8 for hits in inside.values())


def test_it_is_blind_to_concept_drift():
    rng = np.random.default_rng(2)
    estimate, noisier = table_of(frame(rng, 8_000)), frame(rng, 2_000, noise=3.0)
    found = estimate(noisier)["mae"]
    assert found.low < found.reference < found.high
    assert realised(noisier)["mae"] > 2 * found.high


def test_values_that_the_reference_did_not_have_cost_nothing():
    rng = np.random.default_rng(3)
    estimate, window = table_of(frame(rng, 4_000)), frame(rng, 200)
    window["site"] = None
    window["size"] = np.nan
    assert np.isfinite(estimate(window)["rmse"].value)
