"""What records said, field by field."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import astuple

from leeway.record_writer import Said


def said_columns(said: Sequence[Said]) -> dict[str, tuple[Any, ...]]:
    """By name one value per record: each field of Said, for its origin outbox, seq and dropped, and the model's name
    that its answer has. Of texts that are all the same one is kept."""
    columns = dict(zip(Said.__struct_fields__, zip(*map(astuple, said))))
    outboxes, columns["seq"], columns["dropped"] = zip(*map(astuple, columns.pop("origin")))
    columns["outbox"] = _shared(outboxes)
    columns["model_name"] = _shared(tuple([answer.model_name for answer in columns["resp"]]))
    return columns


def _shared(texts: tuple[str, ...]) -> tuple[str, ...]:
    return (texts[0],) * len(texts) if texts.count(texts[0]) == len(texts) else texts
