"""A model that was compiled: it answers as the one that it was made from, without the library of that one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from serving.most_probable import most_probable
from serving.types import InferenceRequest, Prediction

from .base import Model
from .engine import ONNX_RUNTIME
from .numeric_rows import NumericRows

PROBABILITIES, VALUES, LABELS = "probabilities", "values", "labels"


class CompiledForm(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be known of a compiled model, beside its file.

    `says` is what comes out of it: class probabilities (of two classes perhaps those of the second alone), values, or
    labels. `classes` are those of a classifier, in the order of the probabilities. `single` says that the native one
    rounds its input to single precision, as trees do; `output` is the name of the output in an ONNX model.
    """

    engine: str
    class_name: str
    width: int
    says: str
    file: str
    sha256: str
    output: str = ""
    single: bool = False
    allows_missing: bool = False
    features: list[str] | None = None
    classes: list[Any] = []


class Compiled(Model):
    """Answers through ONNX Runtime or treelite."""

    def __init__(self, form: CompiledForm, folder: Path):
        self.class_name, self.features = form.class_name, form.features
        self._form, self._run = form, _function(form, folder / form.file)
        self._rows = NumericRows(form.width, form.allows_missing, form.features)

    def predict(self, request: InferenceRequest) -> Prediction:
        matrix, form = self._rows.matrix(request.rows), self._form
        if form.single:
            matrix = matrix.astype(np.float32).astype(np.float64)
        found = self._run(matrix)
        if form.says != PROBABILITIES:
            return Prediction(found.ravel().tolist())
        rows = found.tolist()  # plain lists from here on: numpy takes longer for the few rows of a request
        if len(rows[0]) == 1:
            rows = [[1.0 - second, second] for (second,) in rows]
        return Prediction(most_probable(rows, form.classes), rows, classes=form.classes)


def _function(form: CompiledForm, file: Path) -> Callable[[np.ndarray], np.ndarray]:
    if form.engine == ONNX_RUNTIME:
        from .onnx_session import onnx_function

        return onnx_function(file, form.output)
    from .treelite_trees import treelite_function

    return treelite_function(file)
