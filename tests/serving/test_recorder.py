"""One record per answered request, before the answer leaves."""

import errno
import os
import shutil
import sqlite3
from datetime import UTC, datetime

import pytest

from leeway.backends import connect, sqlite_database
from leeway.files import OsFiles
from leeway.outbox_file import SUFFIX
from leeway.record import is_test
from monitoring.waiting import until_adopted
from tests.serving.conftest import STREAM

GOOD = {"inputs": [[0.1, 0.2, 0.3], [0.9, 0.8, 0.7]]}


def test_a_prediction_leaves_all_that_is_known_of_it(server, estimators):
    sent = {"id": "r1", "event_time": "2020-01-01T00:00:00", "labels": {"purpose": "test"}, **GOOD}
    answer = server.post("/v2/models/forest/infer", sent, {"traceparent": "00-aa-bb-01"})
    version = answer.json["model_version"]
    (record,) = server.records()
    assert (record.schema, record.id, record.op, record.sampling) == (1, "r1", "infer", 1)
    assert (record.project, record.function_uri, record.deployment) == ("shop", "shop/model-server", "forest")
    assert record.endpoint_id == f"shop/model-server/forest/default/forest/{version}"
    assert (record.model, record.version, record.class_) == ("forest", version, "RandomForestClassifier")
    assert (record.request.id, record.request.inputs) == ("r1", GOOD["inputs"])
    assert (record.resp.id, record.resp.model_name) == ("r1", "forest")
    assert record.resp.outputs == answer.json["outputs"]
    assert record.resp.probabilities == estimators["forest"].predict_proba(GOOD["inputs"]).tolist()
    assert (record.event_time, record.labels, record.trace) == (sent["event_time"], sent["labels"], "00-aa-bb-01")
    assert is_test(record.labels) and record.error is None and record.origin.seq == 1
    assert abs((datetime.now(UTC) - datetime.fromisoformat(record.when)).total_seconds()) < 60
    assert record.microsec > 0 and record.host and record.worker == "0"


def test_records_of_a_deployment_are_numbered_and_share_a_key(server):
    for model in ("linear", "forest", "linear"):
        server.post(f"/{model}/predict", {"instances": [[1, 2, 3]]})
    assert [(record.stream_key, record.origin.seq) for record in server.records()] == [
        ("shop/model-server/linear", 1),
        ("shop/model-server/forest", 1),
        ("shop/model-server/linear", 2),
    ]


def test_a_request_that_is_refused_leaves_the_reason(server):
    server.post("/linear/predict", {"id": "bad", "instances": [["x", 2, 3]]})
    server.post("/linear/predict", b"{")
    server.post("/nobody/predict", {"instances": [[1, 2, 3]]})
    first, second = server.records()
    assert (first.id, first.request.inputs, first.resp.outputs) == ("bad", [], [])
    assert "expected a number" in first.error
    assert "no JSON" in second.error and second.id


def test_feedback_speaks_of_the_request_and_has_an_id_of_its_own(server):
    server.post("/linear/feedback", {"id": "r1", "rows": [1], "truth": [3.5]}, {"x-request-id": "f1"})
    server.post("/v2/models/linear/feedback", {"id": "r1", "reward": [1, 0.5]})
    server.post("/linear/feedback", {"id": "r1"})
    truth, reward = server.records()
    assert (truth.op, truth.id, truth.request.id, truth.request.rows, truth.request.truth) == (
        "feedback", "f1", "r1", [1], [3.5],
    )  # fmt: skip
    assert (reward.request.reward, reward.request.truth) == ([1, 0.5], None)
    assert reward.id not in ("", "r1")


def test_sampling_keeps_a_prediction_and_its_feedback_alike(start, model_files):
    server = start({"linear": model_files["linear"]}, sample=3)
    for i in range(60):
        assert server.post("/linear/predict", {"id": f"r{i}", "instances": [[1, 2, 3]]}).json["predictions"]
        server.post("/linear/feedback", {"id": f"r{i}", "truth": [1]})
    server.post("/linear/feedback", {"reward": 1})
    records = server.records()
    told = [record for record in records if record.op == "feedback" and record.request.id]
    asked = [record.id for record in records if record.op == "infer"]
    assert asked == [record.request.id for record in told]
    assert 5 <= len(asked) <= 40
    assert {record.sampling for record in records} == {3}
    assert any(record.request.reward == 1 for record in records)


def test_batches_are_packed(start, model_files):
    server = start({"linear": model_files["linear"]}, batch=4)
    for _ in range(8):
        server.post("/linear/predict", {"instances": [[1, 2, 3]]})
    server.function.close()
    stream = connect.stream("users/admin/serving", server.settings)
    assert any(message.value.startswith(b"[") for message in stream.read(0, 0, 100))
    stream.close()


def test_nothing_is_recorded_without_a_stream(start, model_files):
    server = start({"linear": model_files["linear"]}, stream="")
    assert server.post("/linear/predict", {"instances": [[1, 2, 3]]}).status == 200
    assert server.post("/linear/feedback", {"id": "a", "truth": [1]}).status == 200
    assert not (server.settings.home / "outbox").exists()


@pytest.fixture
def impatient(monkeypatch):
    """A server that does not wait long at its end for a stream that is away; to be asked for before it."""
    monkeypatch.setattr("serving.recorder._CLOSE_S", 0.2)


def test_a_stream_that_is_away_fails_no_request_and_the_record_waits(impatient, start, model_files):
    server = start({"linear": model_files["linear"]}, stream="nowhere://x")
    assert server.post("/linear/predict", {"instances": [[1, 2, 3]]}).status == 200
    assert server.function.recorder.outlet.waiting()[0] == 1
    assert b"leeway_outbox_records 1.0" in server.get("/metrics").raw


def test_what_cannot_be_kept_is_counted_and_answered_all_the_same(start, model_files):
    server = start({"linear": model_files["linear"]})
    server.function.recorder.outlet._here[0].refuse("outbox_full")
    assert server.post("/linear/predict", {"instances": [[1, 2, 3]]}).status == 200
    assert b'leeway_records_dropped_total{deployment="linear",reason="outbox_full"} 1.0' in server.get("/metrics").raw


@pytest.mark.parametrize("ended", [False, True])
def test_the_outbox_lies_where_it_is_waited_for(start, model_files, ended):
    server = start({"linear": model_files["linear"]})
    server.post("/linear/predict", {"instances": [[1, 2, 3]]})
    folder = server.settings.home / "outbox/shop/model-server"
    if ended:
        server.function.close()
    assert len(list(folder.glob(f"*{SUFFIX}"))) == (0 if ended else 1)
    until_adopted("shop/model-server", workers=0 if ended else 1, settings=server.settings, patience_s=1.0)


ASK = {"instances": [[1, 2, 3]]}


def test_a_worker_starts_without_room_for_an_outbox_counts_and_records_when_there_is_some(start, model_files, tmp_path):
    home = tmp_path / "home-0"
    home.mkdir()
    (home / "outbox").write_text("no folder can be made here")
    server = start({"linear": model_files["linear"]})
    recorder = server.function.recorder
    for _ in range(3):
        assert server.post("/linear/predict", ASK).status == 200
    assert b'leeway_records_dropped_total{deployment="linear",reason="no_outbox"} 3.0' in server.get("/metrics").raw
    assert "set LEEWAY_HOME to a folder that is writable" in recorder.error
    (home / "outbox").unlink()
    recorder.outlet._retry_at = 0.0  # a second later
    assert server.post("/linear/predict", ASK).status == 200
    assert recorder.error == ""
    (record,) = server.records()
    assert (record.origin.seq, record.origin.dropped) == (1, {"no_outbox": 3})


def test_a_worker_starts_on_a_full_disk(start, model_files, monkeypatch):
    room = [False]
    write = staticmethod(lambda *given: os.pwrite(*given) if room[0] else _no_space())
    monkeypatch.setattr(OsFiles, "pwrite", write)
    server = start({"linear": model_files["linear"]})
    assert server.post("/linear/predict", ASK).status == 200
    assert "No space left" in server.function.recorder.error
    room[0] = True
    server.function.recorder.outlet._retry_at = 0.0
    assert server.post("/linear/predict", ASK).status == 200
    (record,) = server.records()
    assert record.origin.dropped == {"no_outbox": 1}


def _no_space():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_locked_stream_fails_no_answer_and_gets_all_when_it_is_free(start, model_files, monkeypatch):
    monkeypatch.setattr(sqlite_database, "_BUSY_S", 0.01)
    server = start({"linear": model_files["linear"]})
    stream = connect.stream(STREAM, server.settings)
    stream.append([("k", b"first")])
    file = server.settings.home / "streams" / STREAM / "shard-0.db"
    lock = sqlite3.connect(file, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    assert server.post("/linear/predict", ASK).status == 200
    assert server.function.recorder.outlet.waiting()[0] == 1
    lock.execute("ROLLBACK")
    lock.close()
    server.function.close()
    assert stream.bounds(0) == (0, 3)
    stream.close()


def test_where_the_stream_acknowledges_an_answer_waits_for_it(start, model_files):
    server = start({"linear": model_files["linear"]}, settings={"outbox_ack": "stream", "outbox_ack_s": 60.0})
    stream = connect.stream(STREAM, server.settings)
    for number in range(1, 4):
        assert server.post("/linear/predict", ASK).status == 200
        assert stream.bounds(0) == (0, number)
    stream.close()


def test_where_the_stream_is_away_an_answer_that_waits_for_it_comes_all_the_same(impatient, start, model_files):
    settings = {"outbox_ack": "stream", "outbox_ack_s": 60.0}
    server = start({"linear": model_files["linear"]}, settings=settings, stream="nowhere://x")
    assert server.post("/linear/predict", ASK).status == 200
    assert server.function.recorder.outlet.waiting()[0] == 1


def test_hashed_and_left_out_columns_never_reach_the_outbox_file(
    start, model_files, monkeypatch, profile_of_rows, tmp_path
):
    """Not in good requests of any protocol, nor in words about bad ones."""
    monkeypatch.setattr("leeway.backends.sqlite_stream.SqliteStream.append", lambda self, entries: 0)
    left_out, hashed = 0.123456789, 0.987654321
    (tmp_path / "leeway-profile.json").write_bytes(profile_of_rows)
    model = shutil.copy(model_files["linear"], tmp_path)
    server = start({"linear": model}, settings={"privacy_left_out": "a", "privacy_hashed": "b"})
    row = [left_out, hashed, 0.5]
    tensor = {"name": "x", "shape": [1, 3], "datatype": "FP64", "data": row}
    bodies = {
        "/linear/predict": {"instances": [row]},
        "/v2/models/linear/infer": {"inputs": [tensor]},
        "/v1/models/linear:predict": {"instances": [row]},
        "/api/v1.0/predictions": {"data": {"ndarray": [row]}},
    }
    for path, body in bodies.items():
        assert server.post(path, body).status == 200, path
    refused = server.post("/linear/predict", {"instances": [["secret-a", "secret-b", 1]]})
    assert refused.status == 400 and b"secret-" in refused.raw
    (file,) = server.settings.home.rglob(f"*{SUFFIX}")
    data = file.read_bytes()
    assert data.count(b'"linear"') >= 5 and b"0.5" in data
    for secret in (str(left_out), str(hashed), "secret-"):
        assert secret.encode() not in data
    monkeypatch.undo()
    records = server.records()
    assert [len(record.request.inputs) for record in records] == [1, 1, 1, 1, 0]
    assert "may name values that are kept back" in records[-1].error
