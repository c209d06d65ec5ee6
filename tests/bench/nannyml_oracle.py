"""Writes NannyML 0.13.1's estimates on its own data, for bench_performance.py.

Run in an environment of its own (`pip install nannyml==0.13.1 statsmodels`), with NML_DISABLE_USAGE_LOGGING=1:
python nannyml_oracle.py estimates.json
"""

import json
import sys
from pathlib import Path
from typing import Any

import nannyml
import pandas as pd

DATA = Path(nannyml.__file__).parent / "datasets" / "data"
METRICS = ["accuracy", "roc_auc", "f1", "precision", "recall"]


def main() -> None:
    loan = [pd.read_csv(DATA / f"synthetic_car_loan_{part}.csv") for part in ("reference", "analysis")]
    jobs = [pd.read_parquet(DATA / f"employment_MA_{part}.pq") for part in ("reference", "analysis")]
    home = [pd.read_csv(DATA / f"synthetic_sample_{part}.csv") for part in ("reference", "analysis")]
    many = [pd.read_csv(DATA / f"mc_{part}.csv") for part in ("reference", "analysis")]
    classes = {name.removeprefix("y_pred_proba_"): name for name in many[0].columns if name.startswith("y_pred_proba_")}
    employed = {"y_pred_proba": "predicted_probability", "y_pred": "prediction", "y_true": "employed"}
    found = {
        "car_loan": cbpe(*loan, 5_000, y_true="repaid"),
        "ma_employment": cbpe(*jobs, 5_000, **employed),
        "work_home": cbpe(*home, 5_000, y_true="work_home_actual"),
        "multiclass": cbpe(*many, 6_000, "classification_multiclass", y_pred_proba=classes),
        "regression": loss(),
    }
    Path(sys.argv[1]).write_text(json.dumps(found))


def cbpe(
    reference: pd.DataFrame, analysis: pd.DataFrame, size: int, problem: str = "classification_binary", **names: Any
) -> dict[str, list[float]]:
    columns = {"y_pred_proba": "y_pred_proba", "y_pred": "y_pred", "y_true": "y_true", **names}
    estimator = nannyml.CBPE(metrics=METRICS, problem_type=problem, chunk_size=size, **columns).fit(reference)
    found = estimator.estimate(analysis).filter(period="analysis").to_df()
    return {metric: found[metric]["value"].tolist() for metric in METRICS}


def loss() -> dict[str, list[float]]:
    parts = [pd.read_csv(DATA / f"regression_synthetic_{part}.csv") for part in ("reference", "analysis")]
    names = [name for name in parts[0] if name not in ("timestamp", "y_true", "y_pred", "id")]
    for part in parts:
        for name in names:
            if not pd.api.types.is_numeric_dtype(part[name]):
                part[name] = part[name].astype(object)
    metrics = ["mae", "rmse"]
    estimator = nannyml.DLE(
        feature_column_names=names, y_pred="y_pred", y_true="y_true", metrics=metrics, chunk_size=6_000
    )
    found = estimator.fit(parts[0]).estimate(parts[1]).filter(period="analysis").to_df()
    return {metric: found[metric]["value"].tolist() for metric in metrics}


if __name__ == "__main__":
    main()
