"""Records that the archive cannot hold: each becomes a dead letter by itself, so that it holds nobody else up.

Whether a record can be held is asked of it alone, not of those beside it: so what becomes of it does not depend on
where ranges and batches end. It is asked only after the tables of a range could not be made.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from leeway.backends.parquet_bytes import encode
from leeway.errors import LeewayError, StoreError
from leeway.interfaces import Message
from leeway.record import DECISION, EXPLAIN, FEEDBACK, INFER, Position, Record
from leeway.record_writer import said_of

from .answers import Answers, is_whole
from .archive_table import decision_table, feedback_table, prediction_table
from .decode import decode
from .label_values import Place
from .outcomes import COUNTED
from .told import Feedback, Told, refusal, truths_of
from .troubles import reason_of


class Unarchivable(LeewayError):
    """The tables of a range could not be made, or not be written; its cause says why."""


@contextmanager
def tabled() -> Iterator[None]:
    """What is raised by making tables, or files of them, is Unarchivable; what a store refuses passes through."""
    try:
        yield
    except (LeewayError, OSError, MemoryError):
        raise
    except Exception as error:
        raise Unarchivable(f"rows that make no table: {reason_of(error)}") from error


def refusals(messages: Iterable[Message], shard: int) -> dict[Position, str]:
    """Which of their records the archive cannot hold, and why."""
    found: dict[Position, str] = {}
    for message in messages:
        for index, record in enumerate(decode(message.value)):
            if isinstance(record, Record):
                at = Place(message.offset, index, message.appended, message.appended)
                if reason := _refusal(record, at, shard):
                    found[Position(shard, message.offset, index)] = f"the archive cannot hold it: {reason}"
    return found


def merged(known: Mapping[Position, str], found: Mapping[Position, str]) -> dict[Position, str] | None:
    """Both, or None where nothing new was found."""
    return None if found.keys() <= known.keys() else {**known, **found}


def _refusal(record: Record, at: Place, shard: int) -> str:
    said = said_of(record)
    try:
        if record.op in (INFER, EXPLAIN):
            answers = Answers(shard, record.stream_key, record.endpoint_id)
            answers.take(record, said, at, COUNTED, is_whole(record, said))
            answers.end()
            encode(prediction_table(answers))
        elif record.op == DECISION:
            encode(decision_table(shard, [Told(record, said, at)]))
        elif record.op == FEEDBACK and refusal(record.request) is None:
            truths, feedback = truths_of(record.request) or [(None, None)], Feedback()
            feedback.take(record, said, at, truths, [COUNTED] * len(truths))
            feedback.end()
            encode(feedback_table(shard, feedback))
    except (StoreError, MemoryError):
        raise
    except Exception as error:
        return reason_of(error)
    return ""
