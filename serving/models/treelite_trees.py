"""Trees in treelite, whose interpreter needs no compiler. The one module that imports it."""

import json
import math
import os
from collections.abc import Callable
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


def thresholds(trees: Any) -> dict[int, np.ndarray]:
    """The values at which the trees of a converted model part, by column."""
    found: dict[int, set[float]] = {}
    # An infinite one, by which a tree sets missing values apart, is left out of the JSON.
    text = trees.dump_as_json(pretty_print=False).replace('"threshold":,', "")
    for tree in json.loads(text)["trees"]:
        for node in tree["nodes"]:
            if math.isfinite(node.get("threshold", math.inf)):
                found.setdefault(node["split_feature_id"], set()).add(node["threshold"])
    return {column: np.array(sorted(values)) for column, values in sorted(found.items())}
