"""The five kinds of payload in a SeldonMessage: to rows, and from outputs in the kind that was asked."""

import base64
import math
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from serving.errors import BadRequest

NDARRAY, TENSOR, TFTENSOR, STR, JSON, BIN = "ndarray", "tensor", "tftensor", "strData", "jsonData", "binData"
# Where a TensorProto holds its values, and numpy's name of what its bytes are.
_TF = {
    "DT_DOUBLE": ("doubleVal", "<f8"), "DT_FLOAT": ("floatVal", "<f4"), "DT_INT32": ("intVal", "<i4"),
    "DT_INT64": ("int64Val", "<i8"), "DT_BOOL": ("boolVal", "?"), "DT_STRING": ("stringVal", ""),
}  # fmt: skip
_TF_NUMBERS = {"1": "DT_FLOAT", "2": "DT_DOUBLE", "3": "DT_INT32", "7": "DT_STRING", "9": "DT_INT64", "10": "DT_BOOL"}

_NUMBERS = {int, float, bool}


class Payload(msgspec.Struct, frozen=True, gc=False):
    """`kind` is one of the six above; `names` are the columns', where they were told."""

    kind: str
    rows: list[Any]
    names: list[str] | None = None


def read_payload(message: Mapping[str, Any]) -> Payload:
    """BadRequest where there is none, or it cannot be read."""
    if STR in message:
        return Payload(STR, [_text(message[STR])])
    if JSON in message:
        given = message[JSON]
        return Payload(JSON, given if type(given) is list and given else [given])
    if BIN in message:
        return Payload(BIN, [_binary(message[BIN])])
    data = message.get("data")
    if type(data) is not dict:
        raise BadRequest(f"the message has none of data, {STR}, {JSON} and {BIN}; expected one of them")
    names = data.get("names")
    if names is not None and not (type(names) is list and all(type(name) is str for name in names)):
        raise BadRequest(f"names is {names!r:.60}; expected a list of text")
    for kind, read in ((NDARRAY, _ndarray), (TENSOR, _tensor), (TFTENSOR, _tftensor)):
        if kind in data:
            return Payload(kind, read(data[kind]), names or None)
    raise BadRequest(f"data has none of {NDARRAY}, {TENSOR} and {TFTENSOR}; expected one of them")


def write_payload(kind: str, outputs: list[Any], names: list[str] | None) -> dict[str, Any]:
    """In the kind that was asked, where the outputs can be in it; else text and objects as what they are, numbers as a
    tensor, and anything else as an ndarray."""
    if kind in (STR, JSON, BIN):
        only = outputs[0] if len(outputs) == 1 else None
        if isinstance(only, str):
            return {STR: only}
        if isinstance(only, dict):
            return {JSON: only}
        kind = TENSOR
    names = _names(outputs) if names is None else names
    if kind == NDARRAY or not (shape := _shape(outputs)):
        return {"data": {"names": names, NDARRAY: outputs}}
    values = outputs if len(shape) == 1 else [value for row in outputs for value in row]
    if kind == TENSOR:
        return {"data": {"names": names, TENSOR: {"shape": shape, "values": list(map(float, values))}}}
    dims = [{"size": str(size)} for size in shape]
    said = {"dtype": "DT_DOUBLE", "tensorShape": {"dim": dims}, "doubleVal": list(map(float, values))}
    return {"data": {"names": names, TFTENSOR: said}}


def _ndarray(rows: Any) -> list[Any]:
    if type(rows) is not list or not rows:
        raise BadRequest(f"{NDARRAY} is {rows!r:.60}; expected a list with at least one row")
    return rows


def _tensor(tensor: Any) -> list[Any]:
    if type(tensor) is not dict:
        raise BadRequest(f"{TENSOR} is {tensor!r:.60}; expected an object with shape and values")
    values, shape = tensor.get("values"), tensor.get("shape")
    kinds = set(map(type, values)) if type(values) is list else {None}
    if not kinds <= {int, float}:
        raise BadRequest(f"{TENSOR}: values is {values!r:.60}; expected a list of numbers")
    try:
        return _rows(list(map(float, values)) if int in kinds else values, shape, TENSOR)
    except OverflowError:
        raise BadRequest(f"{TENSOR}: values holds a number that is too large for a double") from None


def _tftensor(tensor: Any) -> list[Any]:
    """A TensorProto in proto3's JSON."""
    if type(tensor) is not dict:
        raise BadRequest(f"{TFTENSOR} is {tensor!r:.60}; expected an object with dtype and tensorShape")
    dtype = str(tensor.get("dtype"))
    dtype = _TF_NUMBERS.get(dtype, dtype)
    if dtype not in _TF:
        raise BadRequest(f"{TFTENSOR}: dtype is {dtype!r:.40}; expected one of {', '.join(_TF)}")
    key, kind = _TF[dtype]
    try:
        dims = tensor.get("tensorShape", {}).get("dim", [])
        shape = [int(dim["size"]) for dim in dims]
        if "tensorContent" in tensor and kind:
            raw = base64.b64decode(tensor["tensorContent"], validate=True)
            values = np.frombuffer(raw, kind).tolist()
        elif kind:
            values = np.array(_repeated(tensor, key), dtype=kind).tolist()
        else:
            values = [base64.b64decode(value, validate=True).decode() for value in _repeated(tensor, key)]
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise BadRequest(f"{TFTENSOR} cannot be read: {type(error).__name__}: {str(error)[:100]}") from None
    if len(values) == 1 and all(size > 0 for size in shape) and 1 < math.prod(shape) <= 1_000_000:
        values = values * math.prod(shape)  # TensorProto's short form of a constant
    return _rows(values, shape, TFTENSOR)


def _repeated(tensor: Mapping[str, Any], key: str) -> list[Any]:
    """The values of a repeated field; null is its default, as everywhere in proto3's JSON."""
    values = tensor.get(key)
    if values is not None and (type(values) is not list or any(type(value) is list for value in values)):
        raise ValueError(f"{key} is {values!r:.60}; expected a list of values")
    return values or []


def _rows(values: list[Any], shape: Any, kind: str) -> list[Any]:
    if type(shape) is not list or not shape or not all(type(size) is int and size > 0 for size in shape):
        raise BadRequest(f"{kind}: shape is {shape!r:.60}; expected a list of whole numbers from 1")
    if math.prod(shape) != len(values):
        raise BadRequest(f"{kind}: shape {shape!r:.60} and {len(values)} values do not go together")
    for size in reversed(shape[1:]):
        values = [values[i : i + size] for i in range(0, len(values), size)]
    return values


def _text(text: Any) -> str:
    if type(text) is not str:
        raise BadRequest(f"{STR} is {text!r:.60}; expected text")
    return text


def _binary(text: Any) -> bytes:
    try:
        return base64.b64decode(_text(text), validate=True)
    except ValueError:  # binascii.Error, or text that is no ASCII
        raise BadRequest(f"{BIN} is {text!r:.60}; expected bytes in base64") from None


def _names(outputs: list[Any]) -> list[str]:
    """Seldon's: one for each column, none where there are no columns."""
    width = len(outputs[0]) if outputs and type(outputs[0]) is list else 0
    return [f"t:{i}" for i in range(width)]


def _shape(outputs: list[Any]) -> list[int]:
    """Of numbers; empty where they are none, or in no shape."""
    kinds = set(map(type, outputs))
    if kinds <= _NUMBERS:
        return [len(outputs)]
    if kinds != {list} or len({len(row) for row in outputs}) != 1:
        return []
    return [len(outputs), len(outputs[0])] if {type(value) for row in outputs for value in row} <= _NUMBERS else []
