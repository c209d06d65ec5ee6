"""Trees in treelite, whose interpreter needs no compiler. The one module that imports it."""

import json
import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np


def convert_to_treelite(model: Any) -> Any:
    """From an estimator of scikit-learn, or of XGBoost or LightGBM, or their boosters. Whatever treelite raises where
    it knows none like it."""
    import treelite

    if hasattr(model, "get_booster"):
        model = model.get_booster()
    elif hasattr(model, "booster_"):
        model = model.booster_
    library = type(model).__module__.partition(".")[0]
    if library == "xgboost":
        return treelite.frontend.from_xgboost(model)
    if library == "lightgbm":
        return treelite.frontend.from_lightgbm(model)
    return treelite.sklearn.import_model(model)


def treelite_function(file: Path) -> Callable[[np.ndarray], np.ndarray]:
    """From a matrix (float64) to what the trees say, shape (rows, outputs)."""
    import treelite

    trees, predict = treelite.Model.deserialize(os.fspath(file)), treelite.gtil.predict
    return lambda matrix: predict(trees, matrix, nthread=1)[:, 0]


def dumped(trees: Any) -> dict[str, Any]:
    """A converted model as treelite writes it down: its trees, and what is made of what they say. An infinite
    threshold, by which a tree sets missing values apart, is left out."""
    return json.loads(trees.dump_as_json(pretty_print=False).replace('"threshold":,', ""))


def thresholds(trees: Mapping[str, Any]) -> dict[int, np.ndarray]:
    """The values at which dumped trees part, by column."""
    found: dict[int, set[float]] = {}
    for tree in trees["trees"]:
        for node in tree["nodes"]:
            if math.isfinite(node.get("threshold", math.inf)):
                found.setdefault(node["split_feature_id"], set()).add(node["threshold"])
    return {column: np.array(sorted(values)) for column, values in sorted(found.items())}
