"""Models in ONNX files."""

from pathlib import Path
from typing import Any

import numpy as np

from serving.errors import BadRequest, LoadError
from serving.types import InferenceRequest, Prediction

from .base import Model
from .numeric_rows import NumericRows
from .onnx_session import onnx_session

_DTYPES: dict[str, Any] = {
    "tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16, "tensor(int64)": np.int64,
    "tensor(int32)": np.int32, "tensor(int8)": np.int8, "tensor(uint8)": np.uint8, "tensor(bool)": np.bool_,
    "tensor(string)": np.str_,
}  # fmt: skip


class OnnxModel(Model):
    """One whose only input is a batch of rows, of any number of axes; or one with an input for each column, which are
    its features.

    Outputs are its first one, one value or list per row. A second one that holds a number per class and row (as a
    matrix, or as a map for each row) is its probabilities.
    """

    class_name = "ONNX"

    def __init__(self, file: Path, features: list[str] | None = None):
        self._session = onnx_session(file)
        self._inputs = self._session.get_inputs()
        unknown = [each.type for each in self._inputs if each.type not in _DTYPES]
        if unknown or (len(self._inputs) > 1 and any(len(each.shape) > 2 for each in self._inputs)):
            shown = ", ".join(f"{each.name}: {each.type}{each.shape}" for each in self._inputs)
            raise LoadError(f"{file} takes {shown}; expected one tensor of rows, or one tensor for each column")
        one = self._inputs[0]
        width = one.shape[1] if len(self._inputs) == 1 and len(one.shape) == 2 else None
        is_table = isinstance(width, int) and _DTYPES[one.type] in (np.float32, np.float64)
        self._rows = NumericRows(width, True, features) if is_table else None
        self.features = features if len(self._inputs) == 1 else [each.name for each in self._inputs]

    def predict(self, request: InferenceRequest) -> Prediction:
        found = self._session.run(None, self._feed(request.rows))
        outputs = _plain(found[0])
        probabilities = _probabilities(found[1]) if len(found) == 2 else None
        return Prediction(outputs, probabilities if probabilities and len(probabilities) == len(outputs) else None)

    def _feed(self, rows: list) -> dict[str, np.ndarray]:
        one = self._inputs[0]
        if self._rows is not None:
            return {one.name: self._rows.matrix(rows).astype(_DTYPES[one.type])}
        if len(self._inputs) == 1:
            return {one.name: _array(rows, one)}
        names = [each.name for each in self._inputs]
        for i, row in enumerate(rows):
            if not isinstance(row, list) or len(row) != len(names):
                raise BadRequest(f"row {i} is {repr(row)[:60]}; expected {len(names)} values: {', '.join(names)[:300]}")
        return {each.name: _array([[row[j]] for row in rows], each) for j, each in enumerate(self._inputs)}


def _array(values: list, expected: Any) -> np.ndarray:
    """As an input takes it; BadRequest where it cannot be."""
    kind = _DTYPES[expected.type]
    try:
        if kind is np.str_:
            found = np.array(values, object)
            if not all(isinstance(value, str) for value in found.ravel()):
                raise ValueError("a value is no text")
        else:
            found = np.array(values)
            if found.dtype.kind not in ("b" if kind is np.bool_ else "iu" if np.dtype(kind).kind in "iu" else "fiub"):
                raise ValueError(f"a value is no {np.dtype(kind).name}")
            found = found.astype(kind)
    except (ValueError, TypeError, OverflowError) as error:
        raise BadRequest(
            f"input {expected.name}: {str(error).splitlines()[0]:.120}; expected {expected.type}"
        ) from None
    sizes = expected.shape[1:]
    if found.ndim != len(expected.shape) or any(
        isinstance(size, int) and size != given for size, given in zip(sizes, found.shape[1:])
    ):
        raise BadRequest(f"input {expected.name}: a row has the shape {list(found.shape[1:])}; expected {sizes}")
    return found


def _plain(output: Any) -> list:
    if not isinstance(output, np.ndarray):
        return list(output)
    return output.ravel().tolist() if output.ndim == 2 and output.shape[1] == 1 else output.tolist()


def _probabilities(output: Any) -> list[list[float]] | None:
    if isinstance(output, np.ndarray):
        return output.astype(np.float64).tolist() if output.ndim == 2 and output.dtype.kind == "f" else None
    if isinstance(output, list) and output and isinstance(output[0], dict):
        return [[float(value) for value in each.values()] for each in output]
    return None
