"""What no writer should send: each is set aside or handled by rule, and shows in nothing else."""

import json

import msgspec
import pytest

from leeway.record import FEEDBACK, Request
from monitoring.queries import Queries

GOOD = {
    "schema": 1, "id": "x", "op": "infer", "when": "", "project": "shop", "function_uri": "shop/server",
    "deployment": "broken", "origin": {"outbox": "broken", "seq": 1}, "request": {"inputs": [[1, 2, 3]]},
    "resp": {"outputs": [1]},
}  # fmt: skip


def changed(**fields):
    return json.dumps({**GOOD, **fields}).encode()


DEAD = {
    "cut off": changed()[:-20],
    "empty": b"",
    "binary": bytes(range(256)),
    "wrong type": changed(microsec="soon"),
    "wrong shape": changed(request=[1, 2]),
    "a number": b"7",
    "a newer schema": changed(schema=2),
    "no schema that is one": changed(schema="1"),
    "an unknown op": changed(op="dance"),
    "ten megabytes of nothing": b"{" + b" " * 10_000_000,
    "nested too deep": b"[" * 10_000 + b"]" * 10_000,
    "an object nested too deep": changed(decision=0)[:-1].replace(
        b'"decision": 0', b'"decision": ' + b'{"a":' * 10_000
    ),
    "a name that is no name": changed(deployment="é" * 100),
    "a number that is none": changed(microsec=2**70),
    "a count that is none": changed(origin={"outbox": "broken", "seq": 1, "dropped": {"full": 2**70}}),
    "a name that no store can hold": changed(endpoint_id="shop/server/broken\0"),
    "a name without end": changed(endpoint_id="shop/server/" + "x" * 1_000),
    "a key that no store can hold": changed(deployment="broken\0"),
    "a row without end": changed(request={"inputs": [[0] * 10_001]}),
    "a little too deep": changed(decision=json.loads("[" * 599 + "]" * 599), features=[]).replace(b"[]", b"[0]"),
    "an infinite reward": changed(op="feedback", request={"id": "x", "reward": float("inf")}),
    "a reward beyond all sums": changed(op="feedback", request={"id": "x", "reward": [1.0, -1e300]}),
}
HANDLED = {
    "not a number": changed(request={"inputs": [[float("nan"), float("inf"), 3]]}, resp={"outputs": [float("nan")]}),
    "ten megabytes": changed(trace="x" * 10_000_000),
    "as deep as it may be": changed(metrics={"m": json.loads("[" * 598 + "]" * 598)}),
    "deep in a value": changed(request={"inputs": [json.loads("[" * 500 + "]" * 500)]}),
    "a clock of its own": changed(when="1970-01-01T00:00:00Z", event_time="2999-01-01T00:00:00Z"),
    "no clock at all": changed(when="yesterday", event_time="tomorrow"),
    "no rows": changed(request={"inputs": []}, resp={"outputs": []}),
    "rows of every length": changed(request={"inputs": [[1], [1, 2], []]}, resp={"outputs": [1, 2, 3]}),
    "fewer answers than rows": changed(request={"inputs": [[1, 2, 3], [1, 2, 3]]}, resp={"outputs": [1]}),
}


def verdicts(reader):
    with Queries(reader.settings) as queries:
        return [
            msgspec.json.encode(v) for name in "ab" for v in queries.verdicts(f"shop/server/{name}/default/{name}/v1")
        ]


def spoiled(messages, values):
    """The same messages at the same offsets, each broken one packed behind a good one in between."""
    found, left = [], list(values)
    for message in messages:
        if left and message.offset % 20 == 10:
            message = message._replace(value=left.pop())
        found.append(message)
    assert not left
    return found


@pytest.fixture
def plain_stream(maker):
    """Two deployments with truth, and a message in twenty that says nothing."""
    for i in range(500):
        maker.appended += i % 3 == 0
        if len(maker.messages) % 20 == 10:
            maker.append(maker.record(FEEDBACK, "nothing", request=Request(reward=1.0)))
        maker.predict("ab"[i % 2], f"r{i}")
        if len(maker.messages) % 20 == 10:
            maker.append(maker.record(FEEDBACK, "nothing", request=Request(reward=1.0)))
        maker.truth("ab"[i % 2], f"r{i}", [i % 2])
    return maker.messages


@pytest.mark.parametrize("range_rows", [7, 500])
def test_broken_records_are_set_aside_and_shown_nowhere_else(make_reader, plain_stream, range_rows):
    calm, reader = make_reader(range_rows=range_rows), make_reader(range_rows=range_rows)
    calm.consumer().consume(plain_stream)
    numbered = [value.replace(b'"seq": 1', b'"seq": %d' % (i + 1)) for i, value in enumerate(DEAD.values())]
    reader.consumer().consume(spoiled(plain_stream, numbered))
    with Queries(reader.settings) as queries:
        assert len(queries.dead_letters()) == len(DEAD)
        assert all(letter.reason and len(letter.raw) <= 65_536 for letter in queries.dead_letters())
    assert len(verdicts(calm)) > 5
    assert verdicts(reader) == verdicts(calm)


@pytest.mark.parametrize("range_rows", [7, 500])
def test_odd_records_are_kept_and_change_no_verdict_of_others(make_reader, plain_stream, range_rows):
    values = [
        value.replace(b'"seq": 1', b'"seq": %d' % (i + 1)).replace(b'"id": "x"', b'"id": "x%d"' % i)
        for i, value in enumerate(HANDLED.values())
    ]
    calm, reader = make_reader(range_rows=range_rows), make_reader(range_rows=range_rows)
    calm.consumer().consume(plain_stream)
    reader.consumer().consume(spoiled(plain_stream, values))
    with Queries(reader.settings) as queries:
        assert [letter.reason for letter in queries.dead_letters()] == []
        assert queries.counts("broken")["predictions"]["counted"] == len(HANDLED)
    assert verdicts(reader) == verdicts(calm)


def test_a_stream_clock_that_runs_a_year_ahead_or_back_stops_nothing(make_reader, plain_stream):
    """A broker's clock: ahead, it is believed; back, it stands."""
    year = 366 * 86_400
    ahead = [m._replace(appended=m.appended + year * (m.offset > 500)) for m in plain_stream]
    back = [m._replace(appended=m.appended - year * (m.offset > 500)) for m in plain_stream]
    calm = make_reader()
    calm.consumer().consume(plain_stream)
    for messages in (ahead, back):
        reader = make_reader()
        reader.consumer().consume(messages)
        with Queries(reader.settings) as queries:
            assert queries.counts()["predictions"]["counted"] == 500
            assert len(verdicts(reader)) == len(verdicts(calm))


def test_what_begins_as_others_do_may_be_nested_too_deep_all_the_same(maker, make_reader):
    deep = json.loads("[" * 700 + "]" * 700)
    for number in range(3):
        maker.predict("a", f"r{number}", **({"metrics": {"m": deep}} if number == 1 else {}))
    reader = make_reader()
    reader.consumer().consume(maker.messages)
    with Queries(reader.settings) as queries:
        assert [letter.reason for letter in queries.dead_letters()] == ["nested more than 600 levels deep"]
        assert queries.counts("a")["predictions"]["counted"] == 2
