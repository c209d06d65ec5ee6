"""Models in XGBoost's own form. The one module that imports xgboost."""

import os
from pathlib import Path
from typing import Any

_CLASSIFIES = ("binary:", "multi:")


def read_xgboost(file: Path) -> Any:
    """An estimator over the booster in a file, on one thread; a classifier where its objective is one's."""
    import xgboost

    booster = xgboost.Booster(model_file=os.fspath(file))
    kind = xgboost.XGBClassifier if _objective(booster).startswith(_CLASSIFIES) else xgboost.XGBRegressor
    estimator = kind(n_jobs=1)
    estimator.load_model(os.fspath(file))
    return estimator


def _objective(booster: Any) -> str:
    import orjson

    return orjson.loads(booster.save_config())["learner"]["objective"]["name"]
