"""Models of scikit-learn, as they were pickled or dumped with joblib."""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from serving.errors import BadRequest, LoadError
from serving.most_probable import most_probable
from serving.types import InferenceRequest, Prediction

from .base import Model
from .numeric_rows import NumericRows

# Their predict is the most probable class, so one pass gives both; others can disagree (SVC) or be tuned away from it.
_MOST_PROBABLE = {
    "BernoulliNB", "CategoricalNB", "ComplementNB", "DecisionTreeClassifier", "ExtraTreeClassifier",
    "ExtraTreesClassifier", "GaussianNB", "GradientBoostingClassifier", "HistGradientBoostingClassifier",
    "KNeighborsClassifier", "LogisticRegression", "MultinomialNB", "RandomForestClassifier",
}  # fmt: skip
_MARGIN = 1e-6
_NAMES_NOT_GIVEN = "X does not have valid feature names"


class ScikitLearn(Model):
    """A fitted estimator or pipeline, scikit-learn's own or one that is made like it. Rows are checked before it sees
    them.

    `estimator` is it, `last` its last step, which predicts; `width` how many columns it takes, `reads_tables` whether
    it chooses them by name.
    """

    def __init__(self, estimator: Any, features: list[str] | None = None):
        if not hasattr(estimator, "predict"):
            raise LoadError(
                f"the file holds a {type(estimator).__name__}, which has no predict; expected a fitted model"
            )
        self.class_name = type(estimator).__name__
        self.estimator, self.last = estimator, _last_step(estimator)
        own = getattr(estimator, "feature_names_in_", None)
        self.features = features if own is None else [str(name) for name in own]
        self.width = _width(estimator, self.features)
        self._one_pass = _is_sklearns(self.last) and type(self.last).__name__ in _MOST_PROBABLE
        self.has_probabilities = hasattr(estimator, "predict_proba")
        self._classes = self.classes
        self.reads_tables = _needs_frame(estimator)
        self.allows_missing = _allows_missing(estimator)
        self._rows = NumericRows(self.width, self.allows_missing, self.features)
        warnings.filterwarnings("ignore", _NAMES_NOT_GIVEN, UserWarning)  # rows are in its order: that is the contract

    @property
    def classes(self) -> list[Any] | None:
        """A classifier's, in the order of its probabilities; None of other models, and of those with several
        outputs."""
        found = getattr(self.estimator, "classes_", None)
        return found.tolist() if isinstance(found, np.ndarray) and found.ndim == 1 else None

    def labels(self, matrix: np.ndarray) -> list[Any]:
        """What it says to a matrix, shape (rows, width)."""
        return self._predict(matrix).outputs

    def predict(self, request: InferenceRequest) -> Prediction:
        if self.reads_tables:
            return self._predict_table(request.rows)
        return self._predict(self._rows.matrix(request.rows))

    def _predict(self, matrix: Any) -> Prediction:
        with np.errstate(all="ignore"):
            if not self.has_probabilities:
                return Prediction(self.estimator.predict(matrix).tolist())
            return self._classify(matrix)

    def _predict_table(self, rows: list) -> Prediction:
        """What columns may hold is known to the steps of the pipeline only, which say so by raising."""
        table = self._table(rows)
        try:
            return self._predict(table)
        except (ValueError, TypeError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise BadRequest(f"the model does not take these rows: {reason:.200}") from error

    def _classify(self, matrix: Any) -> Prediction:
        probabilities = self.estimator.predict_proba(matrix)
        if not isinstance(probabilities, np.ndarray) or probabilities.ndim != 2:  # several outputs
            return Prediction(self.estimator.predict(matrix).tolist())
        if self._one_pass and _is_clear(probabilities):
            rows, classes = probabilities.tolist(), self._classes
            return Prediction(most_probable(rows, classes), rows, classes=classes)
        outputs = self.estimator.predict(matrix)
        return Prediction(outputs.tolist(), probabilities.tolist(), classes=self._classes)

    def _table(self, rows: list) -> Any:
        """For pipelines that choose columns by name: their own steps say what may be in them."""
        import pandas as pd

        for i, row in enumerate(rows):
            if not isinstance(row, list) or len(row) != self.width:
                raise BadRequest(f"row {i} is {repr(row)[:60]}; expected a list of {self.width} values")
            if any(isinstance(value, list | dict) for value in row):
                raise BadRequest(f"row {i} holds a list or an object; expected numbers, text, booleans or null")
        frame = pd.DataFrame(rows, columns=self.features)
        return frame.infer_objects()


def _last_step(estimator: Any) -> Any:
    """The estimator that predicts, at the end of a pipeline."""
    while steps := getattr(estimator, "steps", None):
        estimator = steps[-1][1]
    return estimator


def _is_sklearns(estimator: Any) -> bool:
    return type(estimator).__module__.partition(".")[0] == "sklearn"


def _width(estimator: Any, features: list[str] | None) -> int:
    width = getattr(estimator, "n_features_in_", None) or (len(features) if features else None)
    if width is None:
        raise LoadError(
            f"the file holds a {type(estimator).__name__} without n_features_in_, the columns that it takes: "
            "fit it before it is saved, or give it a class of its own with MODEL_CLASS"
        )
    return int(width)


def _allows_missing(estimator: Any) -> bool:
    """Whether every step does, up to one that fills them in."""
    for step in _steps(estimator):
        if "Imputer" in type(step).__name__:
            return True
        if not _takes_missing(step):
            return False
    return True


def _steps(estimator: Any) -> Iterator[Any]:
    """Those of a pipeline, and of the pipelines in it."""
    for _, step in getattr(estimator, "steps", ()):
        if step not in (None, "passthrough"):
            yield from _steps(step)
    if not hasattr(estimator, "steps"):
        yield estimator


def _takes_missing(step: Any) -> bool:
    try:
        return bool(step.__sklearn_tags__().input_tags.allow_nan)
    except Exception:  # older ones, and those that are no estimators
        return any(name in type(step).__name__ for name in ("HistGradientBoosting", "LGBM", "XGB"))


def _needs_frame(estimator: Any) -> bool:
    """Whether a part of it chooses columns by their names."""
    if not hasattr(estimator, "feature_names_in_"):
        return False
    parts = estimator.get_params(deep=True).values() if hasattr(estimator, "get_params") else ()
    return any(type(part).__name__ == "ColumnTransformer" for part in parts) or (
        getattr(estimator, "_preprocessor", None) is not None
    )


def _is_clear(probabilities: np.ndarray) -> bool:
    """Whether rounding cannot decide which class is the most probable, in any row."""
    if probabilities.shape[1] == 2:
        margins = np.abs(probabilities[:, 0] - probabilities[:, 1])
    elif probabilities.shape[1] < 2:
        return True
    else:
        top = np.partition(probabilities, -2, axis=1)
        margins = top[:, -1] - top[:, -2]
    return bool(margins.min() > _MARGIN)
