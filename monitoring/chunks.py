"""Rows of a window as they came in one batch, and how they lie in the state."""

from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from leeway.record import Position, RowReference

from .columns import Column, Columns, column_of, join
from .packing import pack, unpack


class Chunk(NamedTuple):
    """`size` rows; `first` names the first of them. `probabilities` is None where no row has any."""

    size: int
    columns: Columns
    outputs: list[Any]
    probabilities: list[Any] | None
    first: RowReference


def joined(chunks: list[Chunk]) -> Chunk:
    """Chunks one below the other; the same whatever batches the rows came in."""
    probabilities = None
    if any(chunk.probabilities is not None for chunk in chunks):
        probabilities = list(chain.from_iterable(chunk.probabilities or [None] * chunk.size for chunk in chunks))
    columns = join([(chunk.columns, chunk.size) for chunk in chunks])
    return Chunk(
        size=sum(chunk.size for chunk in chunks),
        columns={name: _settled(column) for name, column in columns.items()},
        outputs=list(chain.from_iterable(chunk.outputs for chunk in chunks)),
        probabilities=probabilities,
        first=chunks[0].first,
    )


def _settled(column: Column) -> Column:
    """A list may hold numbers only, where what made it a list lies in another window."""
    return column if isinstance(column, np.ndarray) else column_of(column)


def to_bytes(chunk: Chunk) -> bytes:
    """For the state; float columns as their bytes."""
    columns = {name: col.tobytes() if isinstance(col, np.ndarray) else col for name, col in chunk.columns.items()}
    first = chunk.first
    named = (first.position.shard, first.position.offset, first.position.index, first.id, first.row)
    return pack((chunk.size, columns, chunk.outputs, chunk.probabilities, named))


def from_bytes(data: bytes) -> Chunk:
    """From the state."""
    size, columns, outputs, probabilities, (shard, offset, index, id, row) = unpack(data)
    first = RowReference(Position(shard, offset, index), id, row)
    restored = {name: np.frombuffer(col) if isinstance(col, bytes) else col for name, col in columns.items()}
    return Chunk(size, restored, outputs, probabilities, first)
