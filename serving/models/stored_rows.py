"""Rows that lie beside a model, and what it answered to them when it was saved: its self-test."""

from pathlib import Path
from typing import Any

import msgspec

from serving.errors import LoadError

ROWS_FILE, EXAMPLE_FILE = "leeway-rows.json", "serving_input_example.json"


class StoredRows(msgspec.Struct, frozen=True, kw_only=True):
    """`rows` as the model takes them; `outputs`, one per row, and class probabilities, where they were kept."""

    rows: list[Any]
    outputs: list[Any] | None = None
    probabilities: list[list[float]] | None = None

    @classmethod
    def read(cls, file: Path) -> "StoredRows":
        """Ours, or the example that MLflow puts beside a model; LoadError where the file holds no rows."""
        try:
            data = file.read_bytes()
            found = _example(data) if file.name == EXAMPLE_FILE else msgspec.json.decode(data, type=cls)
        except (OSError, msgspec.MsgspecError) as error:
            raise LoadError(f"{file} holds no stored rows ({error}); write it with StoredRows.to_bytes") from None
        if not found.rows or (found.outputs is not None and len(found.outputs) != len(found.rows)):
            raise LoadError(f"{file} holds {len(found.rows)} rows; expected at least one, and one output for each")
        return found

    def to_bytes(self) -> bytes:
        """JSON."""
        return msgspec.json.encode(self)


def _example(data: bytes) -> StoredRows:
    """As MLflow sends it to a server: {"inputs": rows} or {"dataframe_split": {"data": rows}}. ValidationError where it
    is another."""
    said = msgspec.json.decode(data, type=dict[str, Any])
    rows = said.get("inputs", (said.get("dataframe_split") or {}).get("data"))
    return msgspec.convert({"rows": rows}, StoredRows)
