"""What our functions do for a real Nuclio: answers, bodies, ids, acknowledgements, endings, probes."""

import pickle
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from sklearn.linear_model import LogisticRegression

from leeway.backends import connect
from leeway.outbox_file import SUFFIX
from leeway.record import INFER, Origin, Record, Request, Response, decode, encode
from monitoring.queries import Queries

pytestmark = pytest.mark.slow

FUNCTIONS = Path(__file__).parents[4] / "functions"
SHORT = {"http": {"kind": "http", "workerTerminationTimeout": "1s"}}


@pytest.fixture
def server(laptop, tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(LogisticRegression().fit([[0, 0, 0], [1, 2, 3]], [0, 1])))
    env = {"SERVING_MODEL_m": str(path), "INFERENCE_STREAM": "users/elec"}
    code = (FUNCTIONS / "model_server/model_server.py").read_text()
    status = laptop.deploy("tests-server", code, env=env, triggers=SHORT)
    assert status["state"] == "ready", status["message"]
    return lambda *given, **more: laptop.call("tests-server", *given, **more)


def test_every_answer_of_the_server_is_json_with_an_id_of_its_own_and_no_traceback(server, laptop):
    row = b'{"instances": [[1, 2, 3]]}'
    sent = [
        (row, "application/json", 200), (row, "application/json; charset=utf-8", 200), (row, "", 200),
        (b"[]", "application/json", 400), (b"{bad", "application/json", 400), (b"", "application/json", 400),
        (b'{"instances": [["x", 2, 3]]}', "application/json", 400), (b'{"instances": [[1]]}', "application/json", 400),
    ]  # fmt: skip
    answers = [server("/m/predict", body, {"content-type": kind} if kind else {}) for body, kind, _ in sent]
    assert [answer.status for answer in answers] == [status for *_, status in sent]
    assert {answer.headers["content-type"] for answer in answers} == {"application/json"}
    assert len({answer.headers["x-request-id"] for answer in answers}) == len(sent), "never the event's id"
    assert not any(b"Traceback" in answer.body for answer in answers)
    assert [answer.json["predictions"] for answer in answers[:3]] == [[1]] * 3
    laptop.api("DELETE", "functions", {"metadata": {"name": "tests-server"}})
    assert not list((laptop.home / "outbox").rglob(f"*{SUFFIX}")), "sent by the termination callback"
    with closing(connect.stream("users/elec", laptop.settings)) as stream:
        ops = [decode(message.value).op for message in stream.read(0, 0, 100)]
    assert ops[-1] == "outbox_end" and ops.count("infer") == len(ops) - 1 >= 3


def test_a_scrape_and_a_prediction_at_the_same_time_are_both_answered(server):
    answers = []
    calls = [("/metrics", None), ("/m/predict", {"instances": [[1, 2, 3]]})] * 4
    clients = [threading.Thread(target=lambda call=call: answers.append(server(*call))) for call in calls]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert [answer.status for answer in answers] == [200] * 8


def record(i):
    return encode(
        Record(
            schema=1, op=INFER, id=f"r-{i}", when="", project="shop", function_uri="shop/server", deployment="a",
            origin=Origin("o", i + 1), endpoint_id="shop/server/a/default/a/v1", request=Request(inputs=[[0.5]]),
            resp=Response(outputs=[1]),
        )
    )  # fmt: skip


@pytest.mark.engine("kafka")
def test_the_drift_function_reads_the_topic_that_its_variable_names_and_acknowledges_what_it_committed(laptop, kafka):
    url = f"{kafka.url}/users/t-{uuid4().hex[:8]}"
    with closing(connect.stream(url, replace(laptop.settings, stream_shards=2))) as stream:
        stream.append([("a", record(i)) for i in range(300)])
        status = laptop.deploy(
            "drift", "", build={"functionSourceCode": "", "path": str(FUNCTIONS / "concept_drift/concept_drift.py")},
            handler="concept_drift:handler", annotations={"leeway/stream-from": "INFERENCE_STREAM"},
            env={"INFERENCE_STREAM": url}, triggers=SHORT,
        )  # fmt: skip
        assert status["state"] == "ready", status["message"]

        def consumed():
            with Queries(laptop.settings) as queries:
                return sum(shown.position for shown in queries.consumers() if shown.stream == url)

        laptop.until(lambda: (laptop.home / "state").exists() and consumed() == 300, "the last record of a burst")
        laptop.until(lambda: sum(stream.committed("drift", shard) for shard in (0, 1)) == 300, "acknowledgements")
        assert laptop.call("drift").json["counts"]["predictions"]["counted"] == 300
