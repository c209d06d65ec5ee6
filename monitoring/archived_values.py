"""Archived columns as the values that they held."""

import math
from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa

from .detectors.values import NUMBER


def values_of(column: pa.ChunkedArray, types: Sequence[str]) -> list[Any]:
    """The JSON values of a column; in one of text, what reads like a number is one where `types` knows numbers."""
    values = column.to_pylist()
    if not pa.types.is_string(column.type) or NUMBER not in types:
        return values
    return [value if value is None else _number(value) for value in values]


def documents_of(column: pa.ChunkedArray) -> list[Any]:
    """A column of JSON texts, decoded; None for null."""
    return msgspec.json.decode(f"[{','.join(['null' if text is None else text for text in column.to_pylist()])}]")


def _number(text: str) -> Any:
    try:
        number = float(text) if text.strip() == text and "_" not in text else math.nan
    except ValueError:
        return text
    return number if math.isfinite(number) else text
