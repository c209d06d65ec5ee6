import json

import pytest

from leeway.record import NodeAnswer, Origin, Record, Request, Response, decode
from leeway.record_writer import RecordWriter, Said

LIKE = Record(
    schema=1, id="", op="infer", when="", project="p", function_uri="p/f", deployment="d", origin=Origin("", 0),
    endpoint_id="p/f/d/default/m/1", model="m", version="1", class_="C", features=["a", "b"], sampling=10, host="h",
    worker="0",
)  # fmt: skip
FULL = {
    "microsec": 7, "request": Request("r", [[0.1, None]]), "resp": Response("r", "d", [1], [[0.25, 0.75]]),
    "event_time": "2026-11-24T12:00:00Z", "error": "boom", "labels": {"k": "v"}, "metrics": {"m": 1},
    "trace": "00-1-2-3", "arm": "canary", "propensity": 0.25, "key_hash": "abc", "shadow_of": "r",
    "nodes": [NodeAnswer("m", [1], 5)],
}  # fmt: skip


@pytest.mark.parametrize("fields", [{}, FULL], ids=["least", "full"])
def test_what_is_written_is_the_whole_record(fields):
    said = Said("r", "2026-11-24T12:00:00.000001+00:00", Origin("o", 3, {"outbox_full": 2}), **fields)
    same = {name: getattr(LIKE, name) for name in Record.__struct_fields__ if name not in Said.__struct_fields__}
    differing = {name: getattr(said, name) for name in Said.__struct_fields__}
    whole = Record(**same, **differing)
    written = RecordWriter(LIKE).write(said)
    assert decode(written) == whole
    names = [name for name, _ in json.loads(written, object_pairs_hook=list)]
    assert len(names) == len(set(names))
    assert set(FULL) | {"id", "when", "origin"} == set(Said.__struct_fields__)
