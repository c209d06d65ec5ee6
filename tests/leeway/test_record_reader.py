"""Records read in two parts say what they say as a whole."""

import json
from typing import get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leeway.record import NodeAnswer, Origin, Record, Request, Response, decode, encode
from leeway.record_reader import RecordReader
from leeway.record_writer import RecordWriter, Said, said_of

LIKE = Record(
    schema=1, id="", op="infer", when="", project="p", function_uri="p/f", deployment='d,"id":"', origin=Origin("", 0),
    endpoint_id="p/f/d/default/m/1", model="m", version="1", class_="C", features=["a", "b"], host="h", worker="0",
)  # fmt: skip
SHARED = set(Record.__struct_fields__) - set(Said.__struct_fields__)
texts, numbers = st.text(), st.floats(allow_nan=False, allow_infinity=False)
said = st.builds(
    Said, id=texts, when=texts, origin=st.builds(Origin, texts, st.integers(0, 2**53)),
    microsec=st.integers(0, 2**40), request=st.builds(Request, texts, st.lists(st.lists(numbers | texts | st.none()))),
    resp=st.builds(Response, texts, texts, st.lists(numbers)), error=st.none() | texts,
    labels=st.dictionaries(texts, texts), arm=st.none() | texts, nodes=st.lists(st.builds(NodeAnswer, texts)),
)  # fmt: skip


def whole_of(like: Record, rest: Said) -> Record:
    return msgspec.structs.replace(like, **{name: getattr(rest, name) for name in Said.__struct_fields__})


def shown(like: Record = LIKE) -> RecordReader:
    reader, first = RecordReader(), RecordWriter(like).write(Said("one", "now", Origin("o", 1)))
    assert reader.read(first) is None
    reader.learn(first, decode(first))
    return reader


@given(said)
def test_what_a_writer_writes_is_read_as_the_whole_is(rest):
    data, reader = RecordWriter(LIKE).write(rest), shown()
    like, read = reader.read(data)
    assert read == said_of(decode(data)) == rest
    assert whole_of(like, read) == decode(data)
    assert like is reader.read(data)[0]


def test_the_fields_that_differ_are_those_of_the_record():
    record, differing = get_type_hints(Record), get_type_hints(Said)
    assert differing == {name: record[name] for name in differing}


@pytest.mark.parametrize(
    "change",
    [
        {"microsec": 5, "op": "feedback"},
        {"features": ["other"]},
        {"unknown": 1},
        {"microsec": "text"},
        {"origin": {"outbox": "o"}},
    ],
    ids=["shared again", "features again", "unknown", "wrong type", "missing"],
)
def test_what_does_not_only_differ_is_left_to_the_whole(change):
    data = RecordWriter(LIKE).write(Said("two", "now", Origin("o", 2)))
    pairs = [*json.loads(data).items(), *change.items()]
    text = "{" + ",".join(f"{json.dumps(name)}:{json.dumps(value, separators=(',', ':'))}" for name, value in pairs)
    assert shown().read((text + "}").encode()) is None


@pytest.mark.parametrize("cut", [1, 40, 300])
def test_a_torn_record_is_left_to_the_whole(cut):
    data = RecordWriter(LIKE).write(Said("two", "now", Origin("o", 2), request=Request("two", [[1.0] * 40])))
    assert shown().read(data[:-cut]) is None


@pytest.mark.parametrize(
    "first",
    [
        encode(msgspec.structs.replace(LIKE, id="one", microsec=3)),
        b'{"schema":1,"op":"infer","when":"now","project":"p","function_uri":"f","deployment":"d"'
        b',"id":"one","origin":{"outbox":"o","seq":1}}',
        b'{"schema":1,"op":"infer","project":"p","function_uri":"f","deployment":"d","decision":{"a":"b"'
        b',"id":"one"},"id":"one","when":"now","origin":{"outbox":"o","seq":1}}',
        b'{"schema":2,"op":"infer","project":"p","function_uri":"f","deployment":"d"'
        b',"id":"one","when":"now","origin":{"outbox":"o","seq":1}}',
    ],
    ids=["another order", "a differing field before", "an id in an object before", "another schema"],
)
def test_what_cannot_be_cut_in_two_is_not_learnt(first):
    reader = RecordReader()
    reader.learn(first, decode(first))
    assert reader.read(first) is None


def test_only_the_latest_beginnings_are_kept():
    reader, written = RecordReader(), []
    for number in range(9):
        data = RecordWriter(msgspec.structs.replace(LIKE, worker=str(number))).write(Said("a", "b", Origin("o", 1)))
        reader.learn(data, decode(data))
        written.append(data)
    assert [reader.read(data) is not None for data in written] == [False] + [True] * 8
    assert {"schema", "op", "features"} <= SHARED
