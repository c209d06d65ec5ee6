"""The reference: the profile of what a model was trained on, from the training data and the model's answers to it."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from leeway.errors import ProfileError
from leeway.profile import (
    CATEGORICAL,
    CLASSIFICATION,
    MULTICLASS,
    NUMERIC,
    REGRESSION,
    Effects,
    FeatureProfile,
    HeldOut,
    LossProfile,
    Profile,
)
from leeway.settings import Settings

from .detectors.data_drift import DataDrift
from .detectors.values import TEXT, counted
from .detectors.window_result import FeatureResult
from .error_level import error_level_from, error_of, residuals
from .feature_profile import feature_profile
from .held_out import held_out_rows
from .pair_profile import pair_profile
from .performance.loss_table import fit_loss

__all__ = ["error_level_from", "error_of", "profile_of"]

_MOST_CLASSES = 100
_TOLERATED = 0.9

Predict = Callable[[pd.DataFrame], Any]


def profile_of(
    frame: pd.DataFrame,
    *,
    features: Sequence[str],
    label: str | None,
    predict: Predict,
    predict_proba: Predict | None = None,
    held_out: slice | None = None,
    task: str | None = None,
    tolerance: float | None = None,
    categorical: Sequence[str] = (),
    window_rows: int | None = None,
) -> Profile:
    """The profile of a model from its reference rows, in time order; ProfileError where they cannot be profiled.

    `features` names the model's inputs in its order, `label` the truth (None: not known). `predict` answers
    `frame[features]`, shape (n, d), with shape (n,); `predict_proba` with shape (n, classes). `held_out` are the rows
    that the model was not fitted on: `slice(None)` for all of them, None where it is not known; only they set the
    error level. Features are profiled on all rows, predictions on the rows held out if these fill a window, else on
    all. `task` is guessed where it is not given: a regression answers with numbers that are not whole, or with more
    than 100 distinct ones. `tolerance` of a regression is the 90 % quantile of |residual| on the rows held out (of
    all rows, where it is not known which they are; half a standard deviation of the answers without a label).
    Columns named in `categorical`, and those of pandas' categorical type, are categories even if they are numbers.
    Rows that were shuffled show no autocorrelation, so shuffle nothing.
    """
    _check(frame, features, label)
    window_rows = window_rows or Settings().window_rows
    inputs = frame[list(features)]
    outputs = _answers(predict, inputs)
    truths = None if label is None else _column(frame[label])
    task = task or _task(outputs, truths, predict_proba is not None)
    columns = {name: _column(frame[name]) for name in features}
    kinds = {name: CATEGORICAL for name in features if name in categorical or _is_categorical(frame[name])}
    profile = Profile(
        task=task,
        rows=len(frame),
        window_rows=window_rows,
        features=[feature_profile(name, column, kinds.get(name)) for name, column in columns.items()],
        prediction=_prediction(outputs, held_out, task, features, window_rows),
        tolerance=_tolerance(tolerance, outputs, truths, held_out) if task == REGRESSION else None,
    )
    profile = msgspec.structs.replace(profile, pairs=pair_profile(columns, profile.features, window_rows))
    profile = _with_own_effects(profile, columns, outputs, window_rows)
    if truths is None or held_out is None:
        return profile
    errors = error_of(profile)(outputs[held_out], truths[held_out])
    held = None if predict_proba is None else _held_out(predict_proba, inputs, outputs, truths, held_out)
    losses = _losses(profile, columns, outputs, truths, held_out) if task == REGRESSION else None
    errors = error_level_from(errors, source="held_out")
    return msgspec.structs.replace(profile, errors=errors, held_out=held, losses=losses)


def _losses(
    profile: Profile,
    columns: dict[str, np.ndarray | list[Any]],
    outputs: np.ndarray,
    truths: np.ndarray | list[Any],
    held_out: slice,
) -> LossProfile | None:
    kept = {name: column[held_out] for name, column in (*columns.items(), (profile.prediction.name, outputs))}
    found = residuals(outputs[held_out], truths[held_out])
    return fit_loss(kept, [*profile.features, profile.prediction], found, profile.tolerance)


def _held_out(
    predict_proba: Predict, inputs: pd.DataFrame, outputs: np.ndarray, truths: np.ndarray | list[Any], held_out: slice
) -> HeldOut | None:
    probabilities = np.asarray(predict_proba(inputs[held_out]))
    return held_out_rows(probabilities, outputs[held_out].tolist(), truths[held_out], [*outputs.tolist(), *truths])


def _check(frame: pd.DataFrame, features: Sequence[str], label: str | None) -> None:
    wanted = [*features, *([] if label is None else [label])]
    absent = [name for name in wanted if name not in frame.columns]
    if absent:
        raise ProfileError(f"no column {', '.join(map(repr, absent))}: the reference has {', '.join(map(str, frame))}")
    if not len(features) or not len(frame):
        raise ProfileError(f"{len(frame)} rows of {len(features)} features: give at least one of each")


def _answers(predict: Predict, inputs: pd.DataFrame) -> np.ndarray:
    outputs = np.asarray(predict(inputs))
    if outputs.shape == (len(inputs), 1):
        outputs = outputs[:, 0]
    if outputs.shape != (len(inputs),):
        raise ProfileError(
            f"predict answered {len(inputs)} rows with shape {outputs.shape}: expected one value per row"
        )
    return outputs


def _column(series: pd.Series) -> np.ndarray | list[Any]:
    """Numbers and booleans as floats with NaN, anything else as a list with None."""
    if pd.api.types.is_numeric_dtype(series.dtype) and not _is_categorical(series):
        return series.to_numpy(float, na_value=np.nan)
    return [None if missing else value for value, missing in zip(series.tolist(), series.isna().tolist())]


def _is_categorical(series: pd.Series) -> bool:
    return isinstance(series.dtype, pd.CategoricalDtype)


def _task(outputs: np.ndarray, truths: np.ndarray | list[Any] | None, has_probabilities: bool) -> str:
    """Classification of two classes or more, or regression."""
    columns = [counted(column) for column in (outputs, truths) if column is not None]
    distinct = {name for categories, _ in columns for name in categories}
    is_text = any(TEXT in types for _, types in columns)
    if not has_probabilities and not is_text and (len(distinct) > _MOST_CLASSES or not all(map(_is_whole, distinct))):
        return REGRESSION
    return CLASSIFICATION if len(distinct) <= 2 else MULTICLASS


def _is_whole(name: str) -> bool:
    return float(name).is_integer()


def _prediction(
    outputs: np.ndarray, held_out: slice | None, task: str, features: Sequence[str], window_rows: int
) -> FeatureProfile:
    name = "prediction"
    while name in features:
        name += "_"
    kept = outputs[:0] if held_out is None else outputs[held_out]
    return feature_profile(
        name, kept if len(kept) >= window_rows else outputs, NUMERIC if task == REGRESSION else CATEGORICAL
    )


def _tolerance(
    given: float | None, outputs: np.ndarray, truths: np.ndarray | list[Any] | None, held_out: slice | None
) -> float:
    if given is not None:
        return given
    if truths is None:
        return float(np.std(outputs.astype(float))) / 2
    rows = slice(None) if held_out is None else held_out
    found = residuals(outputs[rows], truths[rows])
    found = found[np.isfinite(found)]
    if not len(found):
        raise ProfileError("no residual to set a tolerance from: the label, or every answer, is missing")
    return float(np.quantile(found, _TOLERATED))


def _with_own_effects(
    profile: Profile, columns: dict[str, np.ndarray | list[Any]], outputs: np.ndarray, window_rows: int
) -> Profile:
    """With the largest effects between the reference's own windows and the whole, in `FeatureProfile.own`."""
    drift = DataDrift.fit(profile, Settings(window_rows=window_rows))
    windows = [slice(start, start + window_rows) for start in range(0, profile.rows - window_rows + 1, window_rows)]
    results = [
        drift.score({name: column[rows] for name, column in columns.items()}, outputs[rows]).features
        for rows in windows
    ]
    if not results:
        return profile
    *features, prediction = [
        msgspec.structs.replace(feature, own=_largest(feature, [result[feature.name] for result in results]))
        for feature in (*profile.features, profile.prediction)
    ]
    return msgspec.structs.replace(profile, features=features, prediction=prediction)


def _largest(feature: FeatureProfile, results: Sequence[FeatureResult]) -> Effects:
    expected = feature.rest / max(feature.present, 1)
    return Effects(
        distribution=max(result.effect for result in results),
        missing=max(abs(result.missing_rate - feature.missing_rate) for result in results),
        out_of_range=max(result.out_of_range for result in results),
        unseen=max(max(result.unseen - expected, 0.0) for result in results),
    )
