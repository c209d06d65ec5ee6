"""What the log says of a request."""

import json
import logging

import pytest

from leeway.log_context import UNDERWAY

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
SECRET = 0.123454321


class Broken:
    def predict(self, rows):
        raise RuntimeError("no")


@pytest.fixture
def ask(start, model_files, tmp_path, capsys):
    """Ask a good model, badly too, and one that fails; the JSON lines of it."""
    before = logging.getLogger("leeway").level, list(logging.getLogger("leeway").handlers)

    def lines(**settings):
        server = start({"good": model_files["linear"]}, settings)
        headers = {"x-request-id": "mine", "traceparent": TRACE}
        server.post("/good/predict", {"instances": [[SECRET, 2, 3]]}, headers)
        server.post("/good/predict", {"instances": [[SECRET]]}, headers)
        model = next(iter(server.function.gateway._plane._served.values())).loaded.model
        model.predict = Broken().predict
        server.post("/good/predict", {"instances": [[SECRET, 2, 3]]}, headers)
        out = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [line for line in out if "status" in line], out

    yield lines
    logging.getLogger("leeway").setLevel(before[0])
    logging.getLogger("leeway").handlers[:] = before[1]


def test_a_failure_is_told_with_its_ids(ask):
    (line,), every = ask()
    about = {name: line[name] for name in ("function", "deployment", "request_id", "trace_id", "status", "operation")}
    assert about == {
        "function": "shop/model-server", "deployment": "good", "request_id": "mine",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "status": 500, "operation": "infer",
    }  # fmt: skip
    assert line["level"] == "error" and "RuntimeError" in line["reason"]
    raised = next(other for other in every if "error" in other)
    assert (raised["deployment"], raised["request_id"]) == ("good", "mine") and "RuntimeError: no" in raised["error"]


def test_every_line_of_a_request_has_its_trace_and_none_of_another_time(ask):
    lines = [line for line in ask(log_requests="all")[1] if "request_id" in line]
    assert len(lines) == 4 and {line["trace_id"] for line in lines} == {TRACE.split("-")[1]}
    assert UNDERWAY.now is None


def test_all_or_none_are_told_where_that_is_wanted(ask):
    assert [line["status"] for line in ask(log_requests="all")[0]] == [200, 400, 500]
    assert ask(log_requests="none")[0] == []


def test_no_body_is_told_unless_asked(ask):
    assert str(SECRET) not in json.dumps(ask(log_requests="all"))
    (first, *_), _ = ask(log_requests="all", log_bodies=True)
    assert first["asked"] == [[SECRET, 2, 3]] and len(first["answered"]) == 1
