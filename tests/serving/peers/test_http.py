"""What HTTP clients do besides posting JSON, against a function in a real worker."""

import http.client
import json
import socket

import pytest

pytestmark = pytest.mark.slow

GOOD = json.dumps({"inputs": [[1, 2]]}).encode()
PATH = "/v2/models/m/infer"


def call(address, method, path, body=None, headers=None, **how):
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        connection.request(method, path, body, headers or {}, **how)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_head_is_get_without_a_body(deployed):
    for path in ("/v2/health/ready", "/v2/models/m", "/v1/models/m"):
        got, head = call(deployed["linear"], "GET", path), call(deployed["linear"], "HEAD", path)
        assert (head[0], head[2]) == (200, b"")
        assert head[1]["content-length"] == got[1]["content-length"] == str(len(got[2]))


def test_options_and_other_origins(deployed):
    page = {"Origin": "http://pages.test", "Access-Control-Request-Method": "POST"}
    status, headers, body = call(deployed["closed"], "OPTIONS", PATH, headers=page)
    assert (status, body, headers["allow"]) == (204, b"", "POST, OPTIONS")
    assert headers["access-control-allow-origin"] == "http://pages.test"
    status, headers, _ = call(deployed["linear"], "OPTIONS", PATH, headers=page)
    assert status == 204 and "access-control-allow-origin" not in headers


def test_tokens(deployed):
    for headers, expected in (
        ({}, 401),
        ({"AUTHORIZATION": "Bearer wrong"}, 403),
        ({"AUTHORIZATION": "Bearer a-token-of-the-tests"}, 200),
        ({"X-API-KEY": "a-token-of-the-tests"}, 200),
    ):
        assert call(deployed["closed"], "POST", PATH, GOOD, headers)[0] == expected


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=UTF-8", "APPLICATION/JSON", "text/plain", None]
)
def test_content_types_and_upper_case_headers(deployed, kind):
    headers = {"X-REQUEST-ID": "mine", **({"CONTENT-TYPE": kind} if kind else {})}
    status, found, body = call(deployed["linear"], "POST", PATH, GOOD, headers)
    assert (status, json.loads(body)["id"], found["x-request-id"]) == (200, "mine", "mine")


def test_chunks(deployed):
    parts = iter([GOOD[:5], GOOD[5:]])
    assert call(deployed["linear"], "POST", PATH, parts, encode_chunked=True)[0] == 200


def opened(address, head):
    host, port = address.split(":")
    connection = socket.create_connection((host, int(port)), timeout=30)
    connection.sendall(f"POST {PATH} HTTP/1.1\r\nHost: {address}\r\n{head}\r\n".encode())
    return connection


def test_expect_100_continue(deployed):
    with opened(deployed["linear"], f"Content-Length: {len(GOOD)}\r\nExpect: 100-continue\r\n") as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 ")
        connection.sendall(GOOD)
        assert connection.recv(10_000).startswith(b"HTTP/1.1 200 ")


def test_a_large_body_on_its_way_keeps_nobody_waiting(deployed):
    """One worker, and 10 MB of which half has come: others are answered meanwhile."""
    body = b" " * 10_000_000 + GOOD
    with opened(deployed["linear"], f"Content-Length: {len(body)}\r\nConnection: close\r\n") as connection:
        connection.sendall(body[:5_000_000])
        assert call(deployed["linear"], "POST", PATH, GOOD)[0] == 200
        connection.sendall(body[5_000_000:])
        assert connection.recv(10_000).startswith(b"HTTP/1.1 200 ")


def test_a_body_over_the_limit_is_413(deployed):
    """The trigger's limit of 32 MiB."""
    status, headers, _ = call(deployed["linear"], "POST", PATH, b" " * ((32 << 20) + 1))
    assert (status, headers["connection"]) == (413, "close")
