"""The handler's contract with Nuclio."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nuclio_sdk
import pytest

from leeway.errors import LeewayError
from leeway.outbox_file import SUFFIX

ROOT = Path(__file__).parents[3]
HEAVY = ("mlrun", "pandas", "pyarrow", "matplotlib", "prometheus_client", "monitoring", "IPython", "storey", "uvicorn")
_MODULES = 'print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names))))'
WORKER = f"""
import json, logging, sys
import nuclio_sdk
from functions.model_server import model_server
context = nuclio_sdk.Context(nuclio_sdk.Logger(logging.INFO), nuclio_sdk.Platform("local"))
model_server.init_context(context)
body = json.dumps({{"instances": [[1, 2, 3]]}}).encode()
answer = model_server.handler(context, nuclio_sdk.Event(body, method="POST", path="/boosted/predict"))
assert answer.status_code == 200
context.user_data.function.close()
{_MODULES}
"""
BARE = f"""
import json, pickle, sys
pickle.load(open(sys.argv[1], "rb")).predict([[1, 2, 3]])
{_MODULES}
"""


def test_every_answer_is_a_response_whose_body_is_bytes_of_json(worker):
    for answer in (
        worker.post("/logistic/predict", {"instances": [[1, 2, 3]]}),
        worker.post("/logistic/predict", {}),
        worker.send("GET", "/v2/models"),
        worker.send("GET", "/nowhere"),
    ):
        assert isinstance(answer, nuclio_sdk.Response)
        assert isinstance(answer.body, bytes) and json.loads(answer.body)
        assert answer.content_type == "application/json"
        assert answer.headers and all(isinstance(value, str) for value in answer.headers.values())


@pytest.mark.parametrize(
    "body", [{"instances": [[1, 2, 3]]}, '{"instances": [[1, 2, 3]]}', b'{"instances": [[1, 2, 3]]}']
)
def test_a_body_may_come_decoded_or_not(worker, body):
    assert worker.send("POST", "/logistic/predict", body).status_code == 200


def test_the_events_own_id_is_never_used(worker):
    answers = [worker.post("/logistic/predict", {"instances": [[1, 2, 3]]}) for _ in range(3)]
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == 3


def test_headers_are_found_however_they_are_written(worker):
    body = b'{"instances": [[1, 2, 3]]}'
    for name in ("X-Request-Id", "x-request-id", "X-REQUEST-ID"):
        assert worker.send("POST", "/linear/predict", body, headers={name: "mine"}).headers["X-Request-Id"] == "mine"


def test_what_was_recorded_is_sent_when_the_worker_ends(worker, tmp_path):
    worker.post("/logistic/predict", {"instances": [[1, 2, 3]]})
    assert list((tmp_path / "home/outbox").rglob(f"*{SUFFIX}"))
    worker.end()
    assert not list((tmp_path / "home/outbox").rglob(f"*{SUFFIX}"))


@pytest.mark.parametrize(
    ("environ", "says"),
    [({}, "no model is named"), ({"SERVING_MODEL_m": "/nowhere/m.pkl"}, "no such file")],
)
def test_a_worker_that_cannot_serve_says_why(make_worker, environ, says):
    with pytest.raises(LeewayError, match=says):
        make_worker(environ)


def modules_of(program, *given, **environ):
    command = [sys.executable, "-c", program, *given]
    environ = {**os.environ, **environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.slow
def test_a_worker_loads_nothing_heavy_that_scikit_learn_does_not_load_itself(served, tmp_path):
    model = served["SERVING_MODEL_boosted"]
    bare = modules_of(BARE, model)
    worker = modules_of(WORKER, SERVING_MODEL_boosted=model, INFERENCE_STREAM="users/elec", LEEWAY_HOME=str(tmp_path))
    assert {"sklearn", "serving"} <= worker
    assert [name for name in HEAVY if name in worker - bare] == []
    assert len(worker - bare) < 40
