"""The Open Inference Protocol's typed tensors: to rows of plain values, from outputs, and to and from raw bytes."""

import math
import struct
from array import array
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import orjson

from serving.errors import BadRequest

BOOL, INT64, UINT64, FP64, BYTES = "BOOL", "INT64", "UINT64", "FP64", "BYTES"
_NUMPY = {
    BOOL: "?", "UINT8": "<u1", "UINT16": "<u2", "UINT32": "<u4", UINT64: "<u8", "INT8": "<i1", "INT16": "<i2",
    "INT32": "<i4", INT64: "<i8", "FP16": "<f2", "FP32": "<f4", FP64: "<f8",
}  # fmt: skip
DATATYPES = (*_NUMPY, BYTES)
_DTYPES = {name: np.dtype(kind) for name, kind in _NUMPY.items()}
_RANGES = {
    name: (int(np.iinfo(kind).min), int(np.iinfo(kind).max)) for name, kind in _NUMPY.items() if kind[1:2] in ("u", "i")
}
_WHOLE = {int}
_FLOATS = {"FP16", "FP32", FP64}
_LENGTH = struct.Struct("<I")


class Tensor(msgspec.Struct, frozen=True, gc=False):
    """`data` is flat, in row-major order, of Python's own values; null stands for a missing number."""

    name: str
    datatype: str
    shape: list[int]
    data: list[Any]


def read_json(name: str, datatype: str, shape: list[int], data: Any) -> Tensor:
    """From JSON, `data` flat or nested. BadRequest where it is not what datatype and shape say."""
    if type(data) is not list:
        raise BadRequest(f"input {name!r:.80}: data is {data!r:.60}; expected a list with the values of its tensor")
    flat = _flat(name, shape, data) if data and type(data[0]) is list else data
    _check_size(name, shape, len(flat))
    return Tensor(name, datatype, shape, _typed(name, datatype, flat))


def read_bytes(name: str, datatype: str, shape: list[int], raw: bytes) -> Tensor:
    """From raw little-endian bytes; of BYTES each value is 4 bytes of length, and then itself."""
    if datatype == BYTES:
        flat = _texts(name, raw)
    else:
        kind = _DTYPES[datatype]
        if len(raw) % kind.itemsize:
            raise BadRequest(f"input {name!r:.80}: {len(raw)} bytes are no whole number of {datatype} values")
        if datatype == BOOL and raw.strip(b"\0\1"):
            raise BadRequest(f"input {name!r:.80}: a BOOL is one byte, 0 or 1")
        flat = np.frombuffer(raw, kind).tolist()
    _check_size(name, shape, len(flat))
    return Tensor(name, datatype, shape, flat)


def rows_of(tensors: Sequence[Tensor]) -> tuple[list[Any], list[str] | None]:
    """(one row for each index of the first axis, the columns' names where each tensor is one column). Tensors stand
    side by side; what has more than two axes stays nested."""
    count = tensors[0].shape[0]
    if len(tensors) == 1 and len(tensors[0].shape) == 2 and (width := tensors[0].shape[1]) > 1:
        data = tensors[0].data
        return [data[i : i + width] for i in range(0, len(data), width)], None
    for tensor in tensors:
        if tensor.shape[0] != count:
            raise BadRequest(
                f"input {tensor.name!r:.80} has {tensor.shape[0]} rows and {tensors[0].name!r:.80} has {count}; "
                "the first axis is the row's, so it must be as long in all of them"
            )
    parts = [_rows(tensor) for tensor in tensors]
    rows = parts[0] if len(parts) == 1 else [[v for row in rows for v in row] for rows in zip(*parts)]
    single = all(math.prod(tensor.shape[1:]) == 1 for tensor in tensors)
    return rows, [tensor.name for tensor in tensors] if single else None


def tensor_of(name: str, outputs: list[Any]) -> Tensor:
    """Outputs, one per row, in the smallest datatype that holds them all exactly; what fits none is JSON in BYTES."""
    shape, flat = [len(outputs)], outputs
    while flat and all(type(value) is list for value in flat) and len({len(value) for value in flat}) == 1:
        shape.append(len(flat[0]))
        flat = [value for row in flat for value in row]
    kinds = set(map(type, flat))
    if kinds <= {bool}:
        return Tensor(name, BOOL, shape, flat)
    if kinds == {int}:
        return Tensor(name, UINT64 if max(flat) > _RANGES[INT64][1] else INT64, shape, flat)
    if kinds <= {float, int, type(None)}:
        return Tensor(name, FP64, shape, [value if value is None else float(value) for value in flat])
    if kinds == {str}:
        return Tensor(name, BYTES, shape, flat)
    return Tensor(name, BYTES, [len(outputs)], [orjson.dumps(value).decode() for value in outputs])


def to_bytes(tensor: Tensor) -> bytes:
    """As `read_bytes` reads it."""
    if tensor.datatype == BYTES:
        values = [value.encode("utf-8", "replace") for value in tensor.data]
        return b"".join(part for value in values for part in (_LENGTH.pack(len(value)), value))
    data = [math.nan if value is None else value for value in tensor.data]
    return np.array(data, _DTYPES[tensor.datatype]).tobytes()


def read_shape(name: str, shape: Any) -> list[int]:
    """BadRequest where it is none, or holds nothing."""
    if type(shape) is not list or set(map(type, shape)) != _WHOLE or min(shape) < 1:
        raise BadRequest(f"input {name!r:.80}: shape is {shape!r:.60}; expected a list of whole numbers from 1")
    return shape


def read_datatype(name: str, datatype: Any) -> str:
    if datatype not in DATATYPES:
        raise BadRequest(f"input {name!r:.80}: datatype is {datatype!r:.40}; expected one of {', '.join(DATATYPES)}")
    return datatype


def _flat(name: str, shape: list[int], data: list[Any]) -> list[Any]:
    level: list[Any] = [data]
    for size in shape:
        if not all(type(part) is list and len(part) == size for part in level):
            raise BadRequest(f"input {name!r:.80}: the nested data has not the shape {shape!r:.60}")
        level = [value for part in level for value in part]
    return level


def _check_size(name: str, shape: list[int], count: int) -> None:
    if math.prod(shape) != count:
        raise BadRequest(f"input {name!r:.80}: shape {shape!r:.60} and {count} values do not go together")


def _typed(name: str, datatype: str, flat: list[Any]) -> list[Any]:
    kinds = set(map(type, flat))
    if datatype in _FLOATS:
        return _floats(name, datatype, flat, kinds)
    if datatype in _RANGES:
        low, high = _RANGES[datatype]
        if kinds != {int} or min(flat) < low or max(flat) > high:
            wrong = next(value for value in flat if type(value) is not int or not low <= value <= high)
            raise BadRequest(f"input {name!r:.80}: {wrong!r:.60} is no {datatype}; expected {low} to {high}, in whole")
    elif kinds != {expected := bool if datatype == BOOL else str}:
        wrong = next(value for value in flat if type(value) is not expected)
        expectation = "true or false" if datatype == BOOL else "text"
        raise BadRequest(f"input {name!r:.80}: {wrong!r:.60} is no {datatype}; expected {expectation}")
    return flat


def _floats(name: str, datatype: str, flat: list[Any], kinds: set[type]) -> list[Any]:
    """Rounded to the datatype; a null is a missing value, as JSON has no NaN."""
    if not kinds <= {float, int, type(None)}:
        wrong = next(value for value in flat if type(value) not in (float, int, type(None)))
        raise BadRequest(f"input {name!r:.80}: {wrong!r:.60} is no {datatype}; expected a number, or null")
    if datatype == FP64 and kinds == {float}:
        return flat
    if datatype == "FP32" and kinds == {float}:
        single = array("f", flat)
        if math.isfinite(sum(single)):
            return single.tolist()
    is_missing = type(None) in kinds
    try:
        found = _rounded(datatype, [math.nan if value is None else value for value in flat] if is_missing else flat)
    except OverflowError:
        found = [math.inf]
    if not math.isfinite(sum(found)) and (math.inf in found or -math.inf in found):
        raise BadRequest(f"input {name!r:.80} holds a number that is too large for {datatype}")
    return found if not is_missing else [None if old is None else new for old, new in zip(flat, found)]


def _rounded(datatype: str, values: list[Any]) -> list[float]:
    """Infinity where a value is too large; OverflowError where not even FP64 holds it."""
    if datatype == "FP16":
        with np.errstate(over="ignore"):
            return np.array(values, np.float16).tolist()
    return array("f" if datatype == "FP32" else "d", values).tolist()


def _texts(name: str, raw: bytes) -> list[str]:
    found, at = [], 0
    while at < len(raw):
        end = at + _LENGTH.size
        length = _LENGTH.unpack_from(raw, at)[0] if end <= len(raw) else len(raw)
        if end + length > len(raw):
            raise BadRequest(f"input {name!r:.80}: its bytes end inside a value; each is 4 bytes of length, and itself")
        try:
            found.append(raw[end : end + length].decode())
        except UnicodeDecodeError:
            raise BadRequest(f"input {name!r:.80}: value {len(found)} is no text in UTF-8") from None
        at = end + length
    return found


def _rows(tensor: Tensor) -> list[Any]:
    data, inner = tensor.data, tensor.shape[1:] or [1]
    for size in reversed(inner):
        data = [data[i : i + size] for i in range(0, len(data), size)]
    return data
