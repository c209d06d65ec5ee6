"""Models in LightGBM's own form. The one module that imports lightgbm."""

import os
from pathlib import Path
from typing import Any

import numpy as np

_BINARY, _SEVERAL = ("binary", "cross_entropy"), ("multiclass", "multiclassova")


def read_lightgbm(file: Path) -> "LGBMBooster":
    import lightgbm

    booster = lightgbm.Booster(model_file=os.fspath(file))
    objective = str(booster.params.get("objective", ""))
    if objective in (*_BINARY, *_SEVERAL):
        return LGBMBoosterClassifier(booster, 2 if objective in _BINARY else booster.num_model_per_iteration())
    return LGBMBooster(booster)


class LGBMBooster:
    """A booster as an estimator; `booster_` as LightGBM's own estimators have it."""

    def __init__(self, booster: Any):
        self.booster_, self.n_features_in_ = booster, booster.num_feature()
        names = booster.feature_name()
        if names != [f"Column_{i}" for i in range(len(names))]:
            self.feature_names_in_ = np.array(names, dtype=object)

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return self.booster_.predict(rows, num_threads=1)


class LGBMBoosterClassifier(LGBMBooster):
    """Its classes are numbers from 0: LightGBM's file has no others."""

    def __init__(self, booster: Any, classes: int):
        super().__init__(booster)
        self.classes_ = np.arange(classes)

    def predict_proba(self, rows: np.ndarray) -> np.ndarray:
        found = self.booster_.predict(rows, num_threads=1)
        return np.column_stack((1.0 - found, found)) if found.ndim == 1 else found

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return self.predict_proba(rows).argmax(axis=1)
