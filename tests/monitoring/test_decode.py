"""What a stream may hold."""

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leeway.record import Origin, Record, encode
from monitoring.decode import Undecodable, decode

OURS = Record(
    schema=1, id="é", op="infer", when="", project="p", function_uri="p/f", deployment="d", origin=Origin("o", 1)
)  # fmt: skip


def ours(**fields):
    return {**msgspec.to_builtins(OURS), **fields}


def test_packed_records_keep_their_order():
    second = msgspec.structs.replace(OURS, id="2")
    assert decode(msgspec.json.encode([OURS, second])) == [OURS, second]


def test_what_only_pythons_json_writes_is_read():
    text = json.dumps(ours(id="\ud800", request={"inputs": [[float("nan"), float("inf"), 10**400]]}))
    (record,) = decode(text.encode())
    assert record.id == "\ufffd"
    assert str(record.request.inputs) == f"[[nan, inf, {10**400}]]"


def test_a_broken_part_of_a_packed_message_keeps_its_place():
    first, second, third = decode(b"[%s,{},%s]" % (encode(OURS), encode(OURS)))
    assert (first, third) == (OURS, OURS)
    assert isinstance(second, Undecodable)
    assert second.raw == b"{}"


@pytest.mark.parametrize("deep", [b"[" * 700 + b"]" * 700, b'{"a":' * 5_000 + b"7" + b"}" * 5_000])
def test_a_part_that_is_nested_too_deep_takes_no_other_with_it(deep):
    tricky = msgspec.structs.replace(OURS, id='[{"\\[,')
    first, second, third = decode(b'[%s, {"metrics": {"m": %s}} ,%s]' % (encode(OURS), deep, encode(tricky)))
    assert (first, third) == (OURS, tricky)
    assert isinstance(second, Undecodable)
    assert second.reason == "nested more than 600 levels deep" and second.raw.endswith(b"}}")


def test_a_deep_message_that_ends_in_its_midst_is_one_dead_letter():
    for value in (b"[" * 700, b'[{"a":' + b"[" * 700, b"[" * 700 + b"]" * 700 + b"7", b'["' + b'\\"[' * 5_000):
        (found,) = decode(value)
        assert isinstance(found, Undecodable)


def test_brackets_in_text_are_no_levels():
    record = msgspec.structs.replace(OURS, id="[" * 2_000, model='{"' * 700)
    assert decode(encode(record)) == [record]


@pytest.mark.parametrize(
    "value, reason",
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[" * 100_000, "nested more than 600 levels"),
        (b"17", "expected an object"),
        (b'{"model": "m"}', "neither a record"),
        (b'{"model": "m", "request": {}, "labels": 3}', "no record"),
        (json.dumps(ours(schema=2)).encode(), "deploy a newer one"),
        (json.dumps(ours(microsec=2**70)).encode(), "no record"),
        (json.dumps(ours(origin=None)).encode(), "no record"),
    ],
)
def test_what_is_no_record_says_why(value, reason):
    (found,) = decode(value)
    assert isinstance(found, Undecodable)
    assert reason in found.reason


_names = st.sampled_from(["model", "request", "resp", "headers", "values", "schema", "labels", "when", "microsec"])
_leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
_documents = st.recursive(_leaves, lambda inner: st.lists(inner) | st.dictionaries(_names, inner))


@given(st.binary() | _documents.map(lambda document: json.dumps(document).encode()))
@settings(deadline=None)
def test_nothing_stops_the_decoder(value):
    assert all(isinstance(found, (Record, Undecodable)) for found in decode(value))


def test_nan_probabilities_do_not_cost_the_record():
    record = msgspec.structs.replace(
        OURS, resp=msgspec.convert({"probabilities": [[float("nan"), 1.0]]}, type(OURS.resp))
    )
    assert decode(encode(record))[0].resp.probabilities == [[None, 1.0]]


V1 = {"op": "predict", "class": "M", "worker": 1, "model": "elec:v2", "host": "h", "labels": {"a": 1}}


def test_mlruns_v1_record():
    (record,) = decode(
        json.dumps({**V1, "request": {"instances": [[1, 2]]}, "resp": [0], "when": "t", "microsec": 5}).encode()
    )
    assert (record.deployment, record.version, record.labels) == ("elec", "v2", {"a": "1"})
    assert (record.request.inputs, record.resp.outputs, record.microsec) == ([[1, 2]], [0], 5)
    assert record.origin.outbox == ""


def test_mlruns_v1_batch():
    rows = [[{"instances": [[i]]}, [i], f"t{i}", i, None] for i in range(3)]
    batch = {**V1, "headers": ["request", "resp", "when", "microsec", "metrics"], "values": rows}
    records = decode(json.dumps(batch).encode())
    assert [(record.request.inputs, record.resp.outputs, record.when) for record in records] == [
        ([[0]], [0], "t0"), ([[1]], [1], "t1"), ([[2]], [2], "t2"),
    ]  # fmt: skip


def test_mlruns_v2_record():
    document = {
        "class": "M", "worker": "0", "model": "elec", "host": "h", "function_uri": "proj/serve@abc", "op": "infer",
        "endpoint_id": "uid", "sampling_percentage": 50, "when": "2026-11-24 12:00:00+00:00",
        "request": {"inputs": [[1.5]], "extra": True}, "microsec": 7,
        "resp": {"id": "r1", "model_name": "elec", "outputs": [1], "timestamp": "t", "model_endpoint_uid": "uid"},
    }  # fmt: skip
    (record,) = decode(json.dumps(document).encode())
    assert (record.id, record.function_uri, record.sampling) == ("r1", "proj/serve", 2)
    assert record.endpoint_id == "proj/serve/elec/default/elec/uid"


def test_mlruns_v2_error():
    (record,) = decode(json.dumps({**V1, "request": {"inputs": [[1]], "id": "r"}, "error": "boom"}).encode())
    assert (record.id, record.error, record.resp.outputs) == ("r", "boom", [])


def test_mlruns_model_runner_record():
    document = {
        "model": "elec", "model_class": "M", "microsec": 3, "when": "t", "endpoint_id": "uid", "labels": None,
        "function_uri": "proj/serve", "request": {"inputs": [[1]], "id": "r", "input_schema": ["price"]},
        "resp": {"outputs": [1], "output_schema": ["y"]}, "error": None, "metrics": None, "sampling_percentage": 100.0,
    }  # fmt: skip
    (record,) = decode(json.dumps(document).encode())
    assert (record.id, record.class_, record.features, record.error) == ("r", "M", ["price"], None)
