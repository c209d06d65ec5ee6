"""Whatever a client sends, it gets an answer that says what was wrong, and the next good request works."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CI, SOAK = 500, 10_000
NAMES = ["logistic", "forest", "boosted", "linear", "named", "mixed", "nobody"]
GOOD = {name: [[0.5, -0.5, "red" if name == "mixed" else 0.1]] for name in NAMES}
PATHS = [
    "/{}/predict", "/{}/explain", "/{}/feedback", "/v2/models/{}/infer", "/v2/models/{}/predict",
    "/v2/models/{}/explain", "/v2/models/{}/feedback",
    "/v2/models/{}", "/v2/models/{}/ready", "/v2/models/{}/versions/1/infer", "/v2/models",
    "/v2/health/ready", "/", "/metrics", "/{}", "/v2/{}/x",
]  # fmt: skip
KINDS = ["application/json", "application/json; charset=utf-8", "application/json; charset=utf-16", "", "text/plain",
         "application/octet-stream", "application/json; charset=rot13", "a;b;c"]  # fmt: skip

numbers = st.integers(-(2**70), 2**70) | st.floats() | st.sampled_from([1e308, -1e308, 3.5e38, 5e-324, 2**63, -0.0])
scalars = st.none() | st.booleans() | numbers | st.text(max_size=8)
names = st.text(max_size=4)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=3), max_leaves=12
)
cells = numbers | st.floats(-1e3, 1e3) | st.sampled_from([None, "red", True, "1.5"])
whole_rows = st.lists(cells, min_size=3, max_size=3)
rows = st.lists(whole_rows | st.lists(scalars, max_size=5), min_size=1, max_size=4) | anything
documents = st.fixed_dictionaries(
    {},
    optional={
        "instances": rows, "inputs": rows, "id": scalars | anything, "labels": anything, "event_time": scalars,
        "truth": st.lists(scalars, max_size=4) | scalars, "rows": st.lists(st.integers(-2, 9), max_size=4) | scalars,
        "reward": numbers | anything,
    },
)  # fmt: skip
bodies = (
    documents
    | documents.map(lambda body: json.dumps(body).encode())
    | anything.map(lambda body: json.dumps(body).encode())
    | st.binary(max_size=60)
    | st.sampled_from(
        [b"", b"{", b"\xff", b"[" * 5_000, b'{"instances": [[' + b"9" * 5_000 + b",1,1]]}", b'{"a": NaN}']
    )
)
requests = st.tuples(
    st.sampled_from(["POST"] * 6 + ["GET", "PUT", "HEAD", "DELETE"]),
    st.builds(str.format, st.sampled_from(PATHS), st.sampled_from(NAMES)) | st.text(max_size=30),
    bodies,
    st.sampled_from(["application/json"] * 6 + KINDS),
    st.dictionaries(st.sampled_from(["X-Request-Id", "Traceparent", "Seldon-Puid"]), st.text(max_size=20), max_size=2),
)  # fmt: skip


def check(worker, request):
    answer = worker.send(*request)
    assert answer.status_code < 500 or answer.status_code == 501, (request, answer.body)
    assert isinstance(answer.body, bytes) and b"Traceback" not in answer.body
    assert answer.headers["X-Request-Id"].isascii()
    if request[1].strip("/") != "metrics":
        said = json.loads(answer.body)
        assert answer.status_code < 400 or said["error"]


def drive(worker, examples):
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(requests)
    def run(request):
        check(worker, request)

    run()
    for name in NAMES[:-1]:
        assert worker.post(f"/{name}/predict", {"instances": GOOD[name]}).status_code == 200
    assert not worker.context.user_data.function.recorder.error


def test_any_request_is_answered(worker):
    drive(worker, CI)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_very_many_requests_are_answered(worker):
    drive(worker, SOAK)
