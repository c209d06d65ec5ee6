"""Rows that lie beside a model, and what it answered to them when it was saved: its self-test."""

from pathlib import Path
from typing import Any

import msgspec

from serving.errors import LoadError

ROWS_FILE = "leeway-rows.json"


class StoredRows(msgspec.Struct, frozen=True, kw_only=True):
    """`rows` as the model takes them; `outputs`, one per row, and class probabilities, where they were kept."""

    rows: list[Any]
    outputs: list[Any] | None = None
    probabilities: list[list[float]] | None = None

    @classmethod
    def read(cls, file: Path) -> "StoredRows":
        """LoadError where the file holds no rows."""
        try:
            found = msgspec.json.decode(file.read_bytes(), type=cls)
        except (OSError, msgspec.MsgspecError) as error:
            raise LoadError(
                f"{file} cannot be read ({error}); write it with StoredRows.to_bytes, or remove it"
            ) from None
        if not found.rows or (found.outputs is not None and len(found.outputs) != len(found.rows)):
            raise LoadError(f"{file} holds {len(found.rows)} rows; expected at least one, and one output for each")
        return found

    def to_bytes(self) -> bytes:
        """JSON."""
        return msgspec.json.encode(self)
