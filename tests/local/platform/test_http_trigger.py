"""What Leeway's own workers do better than Nuclio, over HTTP: docs/nuclio.md has the differences."""

import socket

import pytest

pytestmark = pytest.mark.slow

RETURNS = """
from nuclio_sdk import Response
CASES = {
    "empty": lambda: [], "status-str": lambda: ("200", "x"), "far-status": lambda: (999, "x"), "str": lambda: "text",
    "list": lambda: [1, {"a": 1}], "response": lambda: Response({"X-A": "b", "X-Int": 1}, b"body", "text/csv", 418),
    "response-list": lambda: Response(body=[1, {"a": None}], content_type="application/json"),
}
def handler(context, event):
    return CASES[event.path.strip("/")]()
"""


@pytest.fixture(scope="module")
def returned(shared_laptop):
    shared_laptop.deploy("returns", RETURNS)
    return lambda case: shared_laptop.call("returns", f"/{case}")


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("empty", "returned an empty list"),
        ("status-str", "status code is '200', a str"),
        ("far-status", "status code is 999"),
    ],
)
def test_what_cannot_be_answered_is_a_500_that_says_why_and_the_worker_lives(shared_laptop, returned, case, said):
    pid = shared_laptop.status("returns")["workers"][0]["pid"]
    answer = returned(case)
    assert answer.status == 500
    assert said in answer.body.decode()
    assert said in shared_laptop.log("returns")
    assert returned("str").status == 200
    assert shared_laptop.status("returns")["workers"][0]["pid"] == pid


def test_nuclios_traps_are_named_in_the_log_once(shared_laptop, returned):
    for case in ("list", "list", "response", "response-list"):
        returned(case)
    log = shared_laptop.log("returns")
    assert log.count("a list is a batch of responses") == 1
    assert log.count("header X-Int: 1 is not a str") == 1
    assert log.count("Response(body=list)") == 1


def test_a_body_over_the_limit_is_413_and_the_connection_closes(laptop):
    attributes = {"maxRequestBodySize": 1000}
    laptop.deploy(
        "small",
        "def handler(context, event):\n    return 'ok'\n",
        triggers={"http": {"kind": "http", "attributes": attributes}},
    )
    assert laptop.call("small", "/", b"x" * 1000).status == 200
    for size in (1001, 300_000):
        answer = laptop.call("small", "/", b"x" * size)
        assert (answer.status, b"maxRequestBodySize" in answer.body) == (413, True)
        assert answer.headers["connection"] == "close"


def test_an_answer_is_one_packet(laptop):
    """Head and body apart cost 40 ms on some clients' connections."""
    address = laptop.deploy("plain", "def handler(context, event):\n    return 'body'\n")["externalInvocationUrls"][0]
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port))) as wire:
        for _ in range(50):
            wire.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            assert wire.recv(65536).endswith(b"\r\n\r\nbody")
