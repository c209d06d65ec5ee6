import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from leeway.profile import HeldOut
from monitoring.performance.cbpe import Cbpe

GOLDEN = Path(__file__).parent / "golden"


def held_out(scores, predicted, truth):
    return HeldOut(
        classes=[str(k) for k in range(scores.shape[1])],
        rows=len(scores),
        probabilities=scores.astype("<f4").tobytes(),
        predicted=np.asarray(predicted, "<u2").tobytes(),
        truth=np.asarray(truth, "<u2").tobytes(),
    )


def two(second):
    return np.column_stack([1 - second, second])


def drawn(rng, rows, bias=1.0, classes=2):
    """Probabilities, answers and truths of a classifier that is right about its chances when bias is 1."""
    weights = rng.gamma(0.4, size=(rows, classes))
    likely = weights / weights.sum(axis=1, keepdims=True)
    truth = (likely.cumsum(axis=1) > rng.random(rows)[:, None]).argmax(axis=1)
    scores = likely**bias / (likely**bias).sum(axis=1, keepdims=True)
    return scores, scores.argmax(axis=1), truth


def test_estimates_are_those_of_nannyml():
    rows = pd.read_parquet(GOLDEN / "rows.parquet").astype(float)
    is_reference = (rows["part"] == 0).to_numpy()
    scores, predicted = two(rows["probability"].to_numpy() / 100), rows["predicted"].to_numpy(int)
    truth = rows["truth"].to_numpy()[is_reference]
    cbpe = Cbpe(held_out(scores[is_reference], predicted[is_reference], truth), 5_000)
    scores, predicted = scores[~is_reference], predicted[~is_reference]
    for metric, expected in json.loads((GOLDEN / "estimates.json").read_text()).items():
        found = [
            cbpe.estimate(scores[i : i + 5_000], predicted[i : i + 5_000])[metric].value
            for i in range(0, len(scores), 5_000)
        ]
        assert found == pytest.approx(expected, abs=1e-4), metric


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("bias", [1.0, 3.0])
def test_intervals_hold_the_realised_metrics(classes, bias):
    rng = np.random.default_rng(0)
    cbpe = Cbpe(held_out(*drawn(rng, 5_000, bias, classes)), 1_000)
    inside = {}
    for _ in range(60):
        scores, predicted, truth = drawn(rng, 1_000, bias, classes)
        realised = Cbpe(held_out(scores, predicted, truth), 20).reference
        for name, estimate in cbpe.estimate(scores, predicted).items():
            inside.setdefault(name, []).append(estimate.low <= realised[name] <= estimate.high)
    assert set(inside) == {"accuracy", "error_rate", "roc_auc", "f1", "precision", "recall"}
    assert all(np.mean(hits) >= 0.8 for hits in inside.values()), {k: np.mean(v) for k, v in inside.items()}


def test_harder_rows_are_seen_and_other_truths_are_not():
    rng = np.random.default_rng(1)
    scores, predicted, truth = drawn(rng, 20_000)
    cbpe = Cbpe(held_out(scores, predicted, truth), 1_000)
    hard = np.sort(scores.max(axis=1).argsort()[:5_000])
    estimate = cbpe.estimate(scores[hard], predicted[hard])["accuracy"]
    realised = (predicted[hard] == truth[hard]).mean()
    assert estimate.value == pytest.approx(realised, abs=0.02)
    assert estimate.high < estimate.reference
    assert "blind to concept drift" in Cbpe.__doc__


def test_correlated_errors_widen_the_intervals():
    rng = np.random.default_rng(2)
    reference, (scores, predicted, _) = held_out(*drawn(rng, 3_000)), drawn(rng, 500)
    plain, wide = (Cbpe(reference, 500, inflation).estimate(scores, predicted)["accuracy"] for inflation in (1, 4))
    assert wide.high - wide.low == pytest.approx(2 * (plain.high - plain.low))


def test_what_is_not_defined_is_left_out():
    rng = np.random.default_rng(3)
    scores, _, truth = drawn(rng, 500)
    never = np.zeros(500, int)
    cbpe = Cbpe(held_out(scores, never, truth), 100)
    found = cbpe.estimate(scores, never)
    assert "precision" not in found and "recall" in found
    assert np.isfinite([e.value for e in found.values()]).all()
    assert Cbpe(held_out(scores, never, np.zeros(500, int)), 100).estimate(scores, never).keys() >= {"accuracy"}
