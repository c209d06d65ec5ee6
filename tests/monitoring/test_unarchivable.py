"""A record that makes no table becomes a dead letter; all else goes on as if it had never come."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from leeway.backends import partitioned_archive
from leeway.record import DECISION, FEEDBACK, Request, Response, decode
from monitoring import archive_table, unarchivable
from monitoring.consumer import Consumer
from monitoring.queries import Queries

POISON = "poison"
KINDS = ("prediction", "feedback", "decision", "verdict")


class Killed(BaseException):
    """The process ends here."""


def outcome(reader):
    with Queries(reader.settings) as queries:
        return {
            "tables": {kind: reader.table(kind) for kind in KINDS},
            "verdicts": [
                msgspec.json.encode(v) for endpoint in queries.endpoints() for v in queries.verdicts(endpoint)
            ],
            "counts": {name: {**queries.counts(name), "dead_lettered": 0} for name in "ab"},
        }


def letters(reader):
    with Queries(reader.settings) as queries:
        return queries.dead_letters()


@pytest.fixture
def streams(maker):
    """A stream with three records that make no table, one of them packed among others, and it with other ones in their
    places, which come from nowhere that anything is known of."""
    poisoned, places = [], {}
    for i in range(300):
        maker.predict("ab"[i % 2], f"r{i}")
        maker.truth("ab"[i % 2], f"r{i}", [i % 2])
        if i == 100:
            poisoned.append(maker.record("infer", "a", resp=Response(outputs=[POISON]), request=Request(inputs=[[1]])))
        elif i == 150:
            poisoned.append(maker.record(FEEDBACK, "b", request=Request(id="r1", truth=[POISON])))
        elif i == 200:
            poisoned.append(maker.record(DECISION, "b", decision={"confirm": POISON}))
        else:
            continue
        places[len(maker.messages)] = len(poisoned) - 1
        maker.append(poisoned[-1], *([maker.prediction("a", "packed")] if i == 100 else []))
    stream = list(maker.messages)
    calm = [message for message in stream if message.offset not in places or message.value[:1] == b"["]
    packed = next(i for i, message in enumerate(calm) if message.value[:1] == b"[")
    parts = msgspec.json.decode(calm[packed].value, type=list[msgspec.Raw])
    calm[packed] = calm[packed]._replace(value=b"[" + b",".join([b'{"schema":9}', bytes(parts[1])]) + b"]")
    return stream, calm, poisoned


@pytest.fixture
def allergic(monkeypatch):
    """Tables that refuse one text, wherever it is."""

    def refuse(name):
        whole = getattr(archive_table, name)

        def checked(values, *more):
            values = values if isinstance(values, np.ndarray) else list(values)
            if any(POISON in str(value) for value in values):
                raise TypeError("no such type")
            return whole(values, *more)

        monkeypatch.setattr(archive_table, name, checked)

    for name in ("values_array", "_json", "_nested"):
        refuse(name)


@pytest.mark.parametrize("range_rows", [7, 5_000])
def test_it_becomes_a_dead_letter_and_all_else_goes_on(make_reader, streams, allergic, range_rows):
    stream, calm, poisoned = streams
    peaceful, reader = make_reader(range_rows=range_rows), make_reader(range_rows=range_rows)
    peaceful.consumer().consume(calm)
    reader.consumer().consume(stream)
    assert outcome(reader) == outcome(peaceful)
    found = letters(reader)
    assert [decode(letter.raw) for letter in found] == poisoned
    assert all(letter.reason.startswith("the archive cannot hold it: TypeError: no such type") for letter in found)
    assert [str(letter.position) for letter in found] == ["0-202-0", "0-303-0", "0-404-0"]
    assert [letter.key for letter in found] == ["shop/server/a", "shop/server/b", "shop/server/b"]


def test_a_consumer_that_finds_the_plan_of_one_that_died_does_the_same(make_reader, streams, allergic, monkeypatch):
    stream, *_ = streams
    calm, reader = make_reader(), make_reader()
    calm.consumer().consume(stream)
    with monkeypatch.context() as patch:

        def die(*_):
            raise Killed

        patch.setattr(Consumer, "_commit", die)
        with pytest.raises(Killed):
            reader.consumer().consume(stream)
    reader.consumer(settings=replace(reader.settings, range_rows=7)).consume(stream)
    assert outcome(reader) == outcome(calm)
    assert [letter.reason for letter in letters(reader)] == [letter.reason for letter in letters(calm)]


def test_a_file_that_cannot_be_made_is_no_other_matter(make_reader, streams, monkeypatch):
    whole = partitioned_archive.encode

    def encode(table):
        columns = [table.column(name) for name in ("output", "truth", "decision") if name in table.column_names]
        if any(POISON in str(value) for column in columns for value in column.to_pylist()):
            raise TypeError("no such type")
        return whole(table)

    monkeypatch.setattr(partitioned_archive, "encode", encode)
    monkeypatch.setattr(unarchivable, "encode", encode)
    stream, calm, poisoned = streams
    peaceful, reader = make_reader(), make_reader()
    peaceful.consumer().consume(calm)
    reader.consumer().consume(stream)
    assert outcome(reader) == outcome(peaceful)
    assert len(letters(reader)) == len(poisoned)


def test_where_no_record_is_at_fault_the_range_is_tried_again(make_reader, streams, monkeypatch):
    stream, *_ = streams
    reader = make_reader(range_rows=50)
    consumer = reader.consumer()
    with monkeypatch.context() as patch:

        def refuse(*_):
            raise ValueError("not today")

        patch.setattr(Consumer, "_write", refuse)
        with pytest.raises(ValueError, match="not today"):
            consumer.consume(stream)
    consumer.consume(stream)
    assert consumer.position == len(stream)
    assert letters(reader) == []
