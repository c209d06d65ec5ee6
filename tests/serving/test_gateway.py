"""Statuses, ids and error bodies, whatever the protocol."""

import re

import pytest

GOOD = {"instances": [[0.1, 0.2, 0.3]]}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("POST", "/nobody/predict", GOOD, 404, "logistic"),
        ("POST", "/v2/models/nobody/infer", GOOD, 404, "nobody"),
        ("POST", "/v2/models/linear/dance", GOOD, 404, "there is no path"),
        ("GET", "/nowhere", b"", 404, "GET /v2/models"),
        ("GET", "/v2/models/nobody", b"", 404, "nobody"),
        ("GET", "/logistic/predict", b"", 405, "POST"),
        ("POST", "/v2/models", GOOD, 405, "GET"),
        ("DELETE", "/metrics", b"", 405, "GET"),
        ("POST", "/logistic/predict", b"", 400, "empty"),
        ("POST", "/logistic/predict", b"{", 400, "no JSON"),
        ("POST", "/logistic/predict", b'{"instances": [[NaN, 1, 2]]}', 400, "no JSON"),
        ("POST", "/logistic/predict", b"[[1, 2, 3]]", 400, "array"),
        ("POST", "/logistic/predict", {"instances": []}, 400, "empty"),
        ("POST", "/logistic/predict", {"instances": 3}, 400, "`instances` is 3"),
        ("POST", "/logistic/predict", {"instances": [1, 2, 3]}, 400, "row 0 is 1"),
        ("POST", "/logistic/predict", {"instances": [[1, 2]]}, 400, "row 0 has 2 values; the model takes 3"),
        ("POST", "/logistic/predict", {**GOOD, "id": ["x"]}, 400, "id is"),
        ("POST", "/logistic/predict", {**GOOD, "id": "a\nb"}, 400, "printable"),
        ("POST", "/logistic/predict", {**GOOD, "labels": {"a": 1}}, 400, "labels"),
        ("POST", "/logistic/predict", {**GOOD, "event_time": 12}, 400, "event_time"),
        ("POST", "/logistic/feedback", {"id": "a"}, 400, "neither truth nor reward"),
        ("POST", "/logistic/feedback", {"truth": [1]}, 400, "no id"),
        ("POST", "/logistic/feedback", {"id": "a", "truth": 1}, 400, "truth is 1"),
        ("POST", "/logistic/feedback", {"id": "a", "truth": [1], "rows": [0, 1]}, 400, "one value per row"),
        ("POST", "/logistic/feedback", {"id": "a", "truth": [1], "rows": [-1]}, 400, "rows is"),
        ("POST", "/logistic/feedback", {"id": "a", "reward": "good"}, 400, "reward is"),
    ],
)
def test_what_is_wrong_is_said(server, method, path, body, status, says):
    answer = server.ask(method, path, body)
    assert answer.status == status
    assert says in answer.json["error"]
    assert answer.headers["X-Request-Id"]
    assert "Traceback" not in answer.raw.decode()


def test_what_is_allowed_stands_in_the_header(server):
    assert server.get("/logistic/predict").headers["Allow"] == "POST"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON", 200),
        ("application/vnd.seldon+json", 200),
        ("application/x-www-form-urlencoded", 200),
        ("application/octet-stream", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/json; charset=klingon", 415),
    ],
)
def test_content_types(server, kind, status):
    body = b'{"instances": [[1, 2, 3]]}'
    assert server.post("/logistic/predict", body, {"content-type": kind}).status == status


def test_a_charset_is_minded(server):
    body = '{"id": "ü", "instances": [[1, 2, 3]]}'.encode("latin-1")
    assert (
        server.post("/logistic/predict", body, {"content-type": "application/json; charset=latin-1"}).json["id"] == "ü"
    )
    refused = server.post("/logistic/predict", body, {"content-type": "application/json; charset=utf-16"})
    assert refused.status == 400


def test_a_body_that_the_host_decoded_is_taken_as_it_is(server):
    from serving.types import HttpRequest

    request = HttpRequest("POST", "/logistic/predict", {"content-type": "application/json"}, GOOD)
    assert server.function.gateway.answer(request).status == 200


def test_a_body_over_the_limit(start, model_files):
    server = start({"linear": model_files["linear"]}, max_body_mb=1)
    answer = server.post("/linear/predict", b" " * (1 << 20) + b'{"instances": [[1, 2, 3]]}')
    assert answer.status == 413
    assert "1,048,576" in answer.json["error"]


UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@pytest.mark.parametrize(
    ("body_id", "headers", "expected"),
    [
        ("mine", {"x-request-id": "theirs", "seldon-puid": "puid"}, "mine"),
        (None, {"x-request-id": "theirs", "seldon-puid": "puid"}, "theirs"),
        ("", {"seldon-puid": "puid"}, "puid"),
        (12, {}, "12"),
        ("", {"x-request-id": ""}, UUID7),
        (None, {"x-request-id": "x" * 300}, UUID7),
    ],
)
def test_whose_id_it_is(server, body_id, headers, expected):
    answer = server.post("/logistic/predict", {**GOOD, "id": body_id}, headers)
    found = answer.headers["X-Request-Id"]
    assert found == answer.json["id"]
    assert expected.fullmatch(found) if isinstance(expected, re.Pattern) else found == expected


def test_ids_that_no_header_can_hold_are_encoded_there(server):
    answer = server.post("/logistic/predict", {**GOOD, "id": "größe"})
    assert (answer.json["id"], answer.headers["X-Request-Id"]) == ("größe", "gr%C3%B6%C3%9Fe")


def test_what_a_path_holds_comes_back_as_json(server):
    assert server.get("/\ud800").status == 404


def test_an_observer_that_fails_changes_nothing(server):
    def fail(exchange):
        raise OSError("no")

    server.function.gateway._observers = (fail,)
    assert server.post("/logistic/predict", GOOD).status == 200
    assert b"leeway_observer_failures_total 1.0" in server.get("/metrics").raw


def test_a_protocol_that_fails_is_a_500_without_a_traceback(server, monkeypatch):
    monkeypatch.setattr("serving.protocols.mlrun_v1.MlrunV1.write", lambda *given: 1 / 0)
    answer = server.post("/logistic/predict", GOOD)
    assert answer.status == 500
    assert "'logistic'" in answer.json["error"] and "division" not in answer.raw.decode()
    monkeypatch.setattr("serving.protocols.mlrun_v2.MlrunV2.describe", lambda *given: 1 / 0)
    assert server.get("/v2/models").status == 500
