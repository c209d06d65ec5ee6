"""Performance without labels: against NannyML's own estimates on its own data, and how long it takes.

An extract of that data and its estimates lie in tests/monitoring/performance/golden. All of it lies in NannyML's wheel
(`pip download --no-deps nannyml==0.13.1`); its estimates are written by nannyml_oracle.py in an environment of its own
(`pip install nannyml==0.13.1 statsmodels`). CPU time, best of five. Exits 1 where a figure misses its bar.
Run: python tests/bench/bench_performance.py [--wheel nannyml-0.13.1-py3-none-any.whl --oracle estimates.json]
"""

import argparse
import io
import json
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from leeway.profile import HeldOut, Profile
from monitoring.performance.cbpe import Cbpe
from monitoring.performance.loss_table import LossTable
from monitoring.reference import profile_of

DIFFERENCE, MILLISECONDS = 1e-4, 50
METRICS = ("accuracy", "roc_auc", "f1", "precision", "recall")
FOLDER = "nannyml/datasets/data/"
GOLDEN = Path(__file__).parents[1] / "monitoring" / "performance" / "golden"


def main() -> int:
    """Print the figures; 1 where one misses its bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, help="NannyML 0.13.1's wheel, for its data")
    parser.add_argument("--oracle", type=Path, help="what nannyml_oracle.py wrote")
    given = parser.parse_args()
    took = drawn_ms()
    print(f"209,000 rows of drawn probabilities: {took:.1f} ms (at most {MILLISECONDS})")
    held = [took <= MILLISECONDS, compare_golden()]
    if given.wheel is None or given.oracle is None:
        print("its other data sets are compared where --wheel and --oracle are given")
        return int(not all(held))
    oracle = json.loads(given.oracle.read_text())
    with zipfile.ZipFile(given.wheel) as wheel:
        for name, (reference, analysis, label, size) in classifications(wheel).items():
            held.append(compare(name, reference, analysis, label, size, oracle[name]))
        compare_regression(wheel, oracle["regression"])
    return int(not all(held))


def drawn_ms() -> float:
    """One estimate of all metrics for each 5,000 rows."""
    draw = np.random.default_rng(0)
    scores = draw.random(209_000)
    cbpe = Cbpe(held_out(two(scores[:70_000]), scores[:70_000] > 0.5, draw.random(70_000) < scores[:70_000]), 5_000)
    return fastest_ms(lambda: estimates(cbpe, two(scores), (scores > 0.5).astype(int), 5_000))


def compare_golden() -> bool:
    """The extract: probabilities in hundredths, a reference (part 0) and rows to judge (part 1)."""
    rows = pd.read_parquet(GOLDEN / "rows.parquet")
    frame = rows.assign(y_pred_proba=rows["probability"] / 100, y_pred=rows["predicted"].astype(int))
    reference, analysis = frame[frame["part"] == 0].astype({"truth": int}), frame[frame["part"] == 1]
    oracle = json.loads((GOLDEN / "estimates.json").read_text())
    return compare("work_home, an extract", reference, analysis, "truth", 5_000, oracle)


def classifications(wheel: zipfile.ZipFile) -> dict[str, tuple[pd.DataFrame, pd.DataFrame, str, int]]:
    employment = [read(wheel, f"employment_MA_{part}.pq") for part in ("reference", "analysis")]
    employment = [
        frame.rename(columns={"predicted_probability": "y_pred_proba", "prediction": "y_pred"}) for frame in employment
    ]
    loan = [read(wheel, f"synthetic_car_loan_{part}.csv") for part in ("reference", "analysis")]
    home = [read(wheel, f"synthetic_sample_{part}.csv") for part in ("reference", "analysis")]
    classes = [read(wheel, f"mc_{part}.csv") for part in ("reference", "analysis")]
    return {
        "car_loan": (*loan, "repaid", 5_000),
        "ma_employment": (*employment, "employed", 5_000),
        "work_home": (*home, "work_home_actual", 5_000),
        "multiclass": (*classes, "y_true", 6_000),
    }


def compare(
    name: str, reference: pd.DataFrame, analysis: pd.DataFrame, label: str, size: int, oracle: dict[str, list[float]]
) -> bool:
    """The largest difference in any chunk, by metric; whether none is larger than it may be."""
    classes = sorted(reference[label].unique().tolist())
    codes = {value: code for code, value in enumerate(classes)}
    scores, wanted = (probabilities(frame, classes) for frame in (reference, analysis))
    answered, truth, asked = (
        frame[column].map(codes).to_numpy()
        for frame, column in ((reference, "y_pred"), (reference, label), (analysis, "y_pred"))
    )
    cbpe = Cbpe(held_out(scores, answered, truth), size)
    took = fastest_ms(lambda: estimates(cbpe, wanted, asked, size))
    found = estimates(cbpe, wanted, asked, size)
    largest = {
        metric: max(abs(chunk[metric] - theirs) for chunk, theirs in zip(found, oracle[metric])) for metric in METRICS
    }
    listed = ", ".join(f"{metric} {difference:.1e}" for metric, difference in largest.items())
    print(
        f"{name}: {len(analysis):,} rows in {took:.1f} ms; largest difference to NannyML (at most {DIFFERENCE:g}): "
        f"{listed}",
        flush=True,
    )
    return max(largest.values()) <= DIFFERENCE


def compare_regression(wheel: zipfile.ZipFile, oracle: dict[str, list[float]]) -> None:
    """How far either is from what was realised: the methods differ, so their estimates do."""
    frames = [read(wheel, f"regression_synthetic_{part}.csv") for part in ("reference", "analysis")]
    truth = read(wheel, "regression_synthetic_analysis_targets.csv")["y_true"].to_numpy()
    names = [name for name in frames[0] if name not in ("timestamp", "y_true", "y_pred", "id")]
    answers = [frame["y_pred"].to_numpy() for frame in frames]
    profile = profile_of(
        frames[0][[*names, "y_true"]],
        features=names,
        label="y_true",
        predict=lambda _: answers[0],
        held_out=slice(None),
        task="regression",
    )
    parts = [slice(start, start + 6_000) for start in range(0, len(truth), 6_000)]
    ours = [regression_mae(profile, frames[1][part], answers[1][part]) for part in parts]
    realised = np.abs(truth - answers[1]).reshape(-1, 6_000).mean(axis=1)
    constant = np.abs(frames[0]["y_true"] - answers[0]).mean()
    print(
        "regression: mean distance of the estimated from the realised mae: "
        f"{np.abs(ours - realised).mean():.2f}, NannyML {np.abs(oracle['mae'] - realised).mean():.2f}, "
        f"the reference's mae throughout {np.abs(constant - realised).mean():.2f}"
    )


def regression_mae(profile: Profile, frame: pd.DataFrame, answers: np.ndarray) -> float:
    columns = {name: frame[name].tolist() for name in profile.feature_names}
    table = LossTable(profile.losses, [*profile.features, profile.prediction])
    return table.estimate({**columns, profile.prediction.name: answers})["mae"].value


def estimates(cbpe: Cbpe, scores: np.ndarray, predicted: np.ndarray, size: int) -> list[dict[str, float]]:
    return [
        {name: found.value for name, found in cbpe.estimate(scores[i : i + size], predicted[i : i + size]).items()}
        for i in range(0, len(scores), size)
    ]


def held_out(scores: np.ndarray, predicted: np.ndarray, truth: np.ndarray) -> HeldOut:
    return HeldOut(
        classes=[str(k) for k in range(scores.shape[1])],
        rows=len(scores),
        probabilities=scores.astype("<f4").tobytes(),
        predicted=predicted.astype("<u2").tobytes(),
        truth=truth.astype("<u2").tobytes(),
    )


def probabilities(frame: pd.DataFrame, classes: list[Any]) -> np.ndarray:
    if "y_pred_proba" in frame:
        return two(frame["y_pred_proba"].to_numpy())
    return frame[[f"y_pred_proba_{name}" for name in classes]].to_numpy()


def two(second: np.ndarray) -> np.ndarray:
    return np.column_stack([1 - second, second])


def read(wheel: zipfile.ZipFile, name: str) -> pd.DataFrame:
    content = io.BytesIO(wheel.read(FOLDER + name))
    return pd.read_parquet(content) if name.endswith(".pq") else pd.read_csv(content)


def fastest_ms(measured: Callable[[], Any]) -> float:
    seconds = []
    for _ in range(5):
        begin = time.process_time()
        measured()
        seconds.append(time.process_time() - begin)
    return min(seconds) * 1_000


if __name__ == "__main__":
    sys.exit(main())
