"""The profile of a model from a table that its owner has at hand."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leeway.errors import LeewayError
from leeway.profile import CLASSIFICATION, MULTICLASS, REGRESSION, Profile

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Reference:
    """Rows in the order of time, with the true values in `label`; `held_out`: the model was not fitted on them."""

    table: Path
    label: str
    held_out: bool = True

    def profile(self, model: Any, task: str | None) -> tuple[Profile, bytes]:
        """(the profile, the first rows and what the model says to them). `task` is classification or regression; None
        asks the model.

        LeewayError where the table lacks a column that the model was fitted on.
        """
        from monitoring.known_answers import known_answers
        from monitoring.reference import profile_of

        frame = read_table(self.table)
        if self.label not in frame.columns:
            raise LeewayError(f"{self.table} has no column {self.label!r}; it has {', '.join(map(str, frame))}")
        features = self._features(model, frame)
        predict = _caller(model, "predict")
        predict_proba = _caller(model, "predict_proba") if hasattr(model, "predict_proba") else None
        profile = profile_of(
            frame,
            features=features,
            label=self.label,
            predict=predict,
            predict_proba=predict_proba,
            held_out=slice(None) if self.held_out else None,
            task=_task(model, task, frame[self.label].nunique()),
        )
        return profile, known_answers(frame[features], predict, predict_proba)

    def _features(self, model: Any, frame: "pd.DataFrame") -> list[str]:
        """The model's own order where it knows its columns, else that of the table."""
        given = [name for name in frame.columns if name != self.label]
        wanted = list(getattr(model, "feature_names_in_", given))
        if missing := [name for name in wanted if name not in given]:
            raise LeewayError(f"{self.table} lacks what the model was fitted on: {', '.join(missing)}")
        count = getattr(model, "n_features_in_", len(wanted))
        if count != len(wanted):
            raise LeewayError(
                f"{self.table} has {len(wanted)} columns beside {self.label!r} ({', '.join(wanted)}), the model takes "
                f"{count}: leave only those in, in the model's order"
            )
        return wanted


def read_table(path: Path) -> "pd.DataFrame":
    """A parquet or csv file; LeewayError for another."""
    import pandas as pd

    readers = {".parquet": pd.read_parquet, ".csv": pd.read_csv}
    if path.suffix not in readers:
        raise LeewayError(f"{path} is neither .parquet nor .csv")
    return readers[path.suffix](path)


def _caller(model: Any, method: str) -> Callable[["pd.DataFrame"], Any]:
    """Names go to models that know them, arrays to the others: neither warns."""
    named = hasattr(model, "feature_names_in_")
    return lambda frame: getattr(model, method)(frame if named else frame.to_numpy())


def _task(model: Any, given: str | None, classes: int) -> str | None:
    """One of the profile's tasks; None where neither the user nor the model says it."""
    kind = given or {"classifier": CLASSIFICATION, "regressor": REGRESSION}.get(_estimator_type(model))
    if kind == CLASSIFICATION and classes > 2:
        return MULTICLASS
    return kind


def _estimator_type(model: Any) -> str | None:
    from sklearn.base import is_classifier, is_regressor

    if not hasattr(model, "__sklearn_tags__"):
        return getattr(model, "_estimator_type", None)
    return "classifier" if is_classifier(model) else "regressor" if is_regressor(model) else None
