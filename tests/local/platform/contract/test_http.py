"""Events and answers over HTTP, as Nuclio's processor and Python wrapper give them (each line was seen there)."""

import http.client
import json
import socket
import threading

import pytest

pytestmark = pytest.mark.slow

SHOW = """
import json
def handler(context, event):
    kept = {name: getattr(event, name) for name in (
        "content_type", "fields", "headers", "id", "method", "path", "size", "url", "shard_id", "num_shards", "type",
        "type_version", "version", "last_in_batch", "offset", "topic")}
    kept |= {
        "body": repr(event.body), "timestamp": event.timestamp.isoformat(), "tz": event.timestamp.tzinfo,
        "trigger": [event.trigger.kind, event.trigger.name], "context": [context.trigger.kind, context.trigger.name,
        context.trigger_name, context.worker_id, context.platform.kind, context.platform.namespace],
        "user_data": context.user_data.__dict__,
    }
    return json.dumps(kept)
def init_context(context):
    context.user_data.loaded = "once"
"""

RETURNS = """
import json
from nuclio_sdk import Response
class Odd:
    def __str__(self): return "odd"
async def slow():
    return "awaited"
CASES = {
    "str": lambda: "text", "bytes": lambda: b"\\x00raw", "dict": lambda: {"a": 1}, "nan": lambda: {"a": float("nan")},
    "none": lambda: None, "int": lambda: 7, "odd": Odd, "list": lambda: [1, {"a": 1}],
    "dicts": lambda: [{"a": 1}, {"b": 2}], "status": lambda: (201, "made"), "status-dict": lambda: (202, {"a": 1}),
    "status-bytes": lambda: (200, b"b"), "three": lambda: (200, "x", "y"), "status-str": lambda: ("200", "x"),
    "response": lambda: Response({"X-A": "b", "X-Int": 1}, b"body", "text/csv", 418),
    "response-dict": lambda: Response(body={"a": 1}, content_type="application/vnd.x"),
    "response-list": lambda: Response(body=[1, {"a": None}], content_type="application/json"),
    "response-none": lambda: Response(), "no-content": lambda: Response(body="gone", status_code=204),
    "coroutine": slow, "generator": lambda: (x for x in "ab"),
    "raise": lambda: 1 / 0, "exit": lambda: exit(3),
    "newline": lambda: Response({"X-A": "b\\r\\nX-Evil: 1"}, "x"),
}
def handler(context, event):
    return CASES[event.path.strip("/")]()
"""


@pytest.fixture(scope="module")
def show(shared_laptop):
    shared_laptop.deploy("show", SHOW, triggers={"web": {"kind": "http"}})
    return lambda *given, **more: shared_laptop.call("show", *given, **more).json


def test_an_event_is_what_nuclio_makes_of_a_request(show):
    said = show("/a%20b/../c//d?x=1&x=2&y=&z=a%2Bb+c", b"{}", {"x-request-id": "r", "X-UPPER": "u"})
    assert said["method"] == "POST"
    assert said["path"] == "/c/d"
    assert said["fields"] == {"x": "2", "y": "", "z": "a+b c"}
    assert said["headers"]["X-Request-Id"] == "r"
    assert said["headers"]["X-Upper"] == "u"
    assert said["headers"]["Content-Length"] == "2"
    assert {"Host", "Accept-Encoding"} <= set(said["headers"])
    assert (said["url"], said["shard_id"], said["num_shards"], said["offset"], said["topic"]) == ("", -1, 0, 0, "")
    assert (said["type"], said["type_version"], said["version"], said["last_in_batch"]) == ("", "", "", False)
    assert said["size"] == 2
    assert said["tz"] is None
    assert len(said["timestamp"]) == len("2024-01-01T00:00:00"), "whole seconds"
    assert said["trigger"] == ["http", "web"]
    assert said["context"] == ["http", "web", "web", "0", "local", "nuclio"]
    assert said["user_data"] == {"loaded": "once"}


def test_the_events_of_a_worker_share_one_id(show):
    assert show("/")["id"] == show("/")["id"], "event.id is not a request's id, here as in Nuclio 1.14"


@pytest.mark.parametrize(
    ("kind", "sent", "seen"),
    [
        ("application/json", b'{"a": [1, NaN]}', {"a": [1, float("nan")]}),
        ("application/json", b'"text"', "text"),
        ("application/json", b"null", None),
        ("application/json", b"123456789012345678901234567890", 123456789012345678901234567890),
        ("application/json", b"{bad", b"{bad"),
        ("application/json", b"", b""),
        ("application/json; charset=utf-8", b"{}", b"{}"),
        ("Application/JSON", b"{}", b"{}"),
        ("application/vnd.x+json", b"{}", b"{}"),
        ("", b"{}", b"{}"),
    ],
)
def test_only_exactly_application_json_is_decoded(show, kind, sent, seen):
    said = show("/", sent, {"content-type": kind} if kind else {})
    assert said["body"] == repr(seen)
    assert said["content_type"] == kind


@pytest.fixture(scope="module")
def returned(shared_laptop):
    shared_laptop.deploy("returns", RETURNS)
    return lambda case: shared_laptop.call("returns", f"/{case}")


@pytest.mark.parametrize(
    ("case", "status", "kind", "body"),
    [
        ("str", 200, "text/plain", b"text"),
        ("bytes", 200, "text/plain", b"\x00raw"),
        ("dict", 200, "application/json", b'{"a": 1}'),
        ("nan", 200, "application/json", b'{"a": "NaN"}'),
        ("none", 200, "text/plain", b"None"),
        ("int", 200, "text/plain", b"7"),
        ("odd", 200, "text/plain", b"odd"),
        ("list", 200, "text/plain", b"1"),
        ("dicts", 200, "application/json", b'{"a": 1}'),
        ("status", 201, "text/plain", b"made"),
        ("status-dict", 202, "application/json", b'{"a": 1}'),
        ("status-bytes", 200, "application/json", b"\"b'b'\""),
        ("three", 200, "text/plain", b"(200, 'x', 'y')"),
        ("response", 418, "text/csv", b"body"),
        ("response-dict", 200, "application/json", b'{"a": 1}'),
        ("response-list", 200, "application/json", b"[1, {'a': None}]"),
        ("response-none", 200, "text/plain", b"None"),
        ("no-content", 204, "text/plain", b""),
        ("coroutine", 200, "text/plain", b"awaited"),
        ("newline", 200, "text/plain", b"x"),
    ],
)
def test_what_a_handler_returns_is_answered_as_by_nuclio(returned, case, status, kind, body):
    answer = returned(case)
    assert (answer.status, answer.headers["content-type"], answer.body) == (status, kind, body)
    assert answer.headers["server"] == "nuclio"
    assert "x-int" not in answer.headers, "only str headers go out"
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("generator", "can't be used in 'await' expression"),
        ("raise", 'Exception caught in handler - "division by zero": Traceback'),
        ("exit", 'Exception caught in handler - "3": Traceback'),
    ],
)
def test_what_cannot_be_answered_is_a_500_and_the_worker_lives(shared_laptop, returned, case, said):
    pid = shared_laptop.status("returns")["workers"][0]["pid"]
    answer = returned(case)
    assert answer.status == 500
    assert said in answer.body.decode()
    log = shared_laptop.log("returns")  # where the processor writes JSON
    assert said.partition(" -")[0] in log and "Traceback" in log
    assert returned("str").status == 200
    assert shared_laptop.status("returns")["workers"][0]["pid"] == pid


def test_a_status_that_is_no_int_is_a_500(returned):
    assert returned("status-str").status == 500
    assert returned("str").status == 200


def test_a_chunked_body_arrives_whole(laptop):
    address = laptop.deploy("show", SHOW)["externalInvocationUrls"][0]
    connection = http.client.HTTPConnection(address)
    chunks = iter([b'{"a":', b" [1,", b" 2]}" + b" " * 200_000])
    connection.request("POST", "/", chunks, {"content-type": "application/json"}, encode_chunked=True)
    said = json.loads(connection.getresponse().read())
    connection.close()
    assert said["body"] == "{'a': [1, 2]}"
    assert said["size"] > 200_000


def test_headers_over_the_read_buffer_are_431(laptop):
    laptop.deploy("show", SHOW)
    answer = laptop.call("show", "/", headers={"x-long": "x" * 20_000})
    assert (answer.status, answer.body) == (431, b"Too big request header")


def test_headers_that_are_not_utf8_are_a_500_and_the_worker_lives(laptop):
    address = laptop.deploy("show", SHOW)["externalInvocationUrls"][0]
    host, _, port = address.partition(":")
    with socket.create_connection((host, int(port))) as wire:
        wire.sendall(b"GET / HTTP/1.1\r\nhost: x\r\nx-bad: \xff\r\nconnection: close\r\n\r\n")
        said = wire.makefile("rb").read()
    assert said.startswith(b"HTTP/1.1 500")
    assert b"Exception caught while serving" in said
    assert laptop.call("show").status == 200


def test_the_health_path_never_reaches_the_handler(laptop):
    laptop.deploy("broken", "def handler(context, event):\n    raise RuntimeError('reached')\n")
    assert laptop.call("broken", "/__internal/health").status == 200
    assert laptop.call("broken", "/").status == 500


def test_a_head_request_gets_the_length_and_no_body(laptop, send):
    address = laptop.deploy("plain", "def handler(context, event):\n    return 'four'\n")["externalInvocationUrls"][0]
    answer = send(address, "HEAD", "/")
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "4", b"")


def test_requests_sent_ahead_are_answered_in_order(laptop):
    code = "def handler(context, event):\n    return event.path\n"
    host, _, port = laptop.deploy("plain", code)["externalInvocationUrls"][0].partition(":")
    with socket.create_connection((host, int(port))) as wire:
        ahead = b"".join(b"GET /%d HTTP/1.1\r\nhost: x\r\n\r\n" % i for i in range(4))
        wire.sendall(ahead + b"GET /4 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        said = wire.makefile("rb").read()
    positions = [said.index(b"\r\n\r\n/%d" % i) for i in range(5)]
    assert positions == sorted(positions)


ONE_AT_A_TIME = """
import asyncio
inside = 0
async def handler(context, event):
    global inside
    inside += 1
    most = inside
    await asyncio.sleep(float(event.body or 0))
    most = max(most, inside)
    inside -= 1
    return str(most)
"""


def test_an_async_handler_sees_one_event_at_a_time(laptop, send):
    address = laptop.deploy("slow", ONE_AT_A_TIME)["externalInvocationUrls"][0]
    seen: list[bytes] = []
    clients = [threading.Thread(target=lambda: seen.append(send(address, "POST", "/", b"0.05").body)) for _ in range(6)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert seen == [b"1"] * 6


def test_who_waits_too_long_for_a_worker_gets_an_empty_503(laptop, send):
    triggers = {"http": {"kind": "http", "workerAvailabilityTimeoutMilliseconds": 50}}
    address = laptop.deploy("slow", ONE_AT_A_TIME, triggers=triggers)["externalInvocationUrls"][0]
    first = threading.Thread(target=lambda: send(address, "POST", "/", b"2"))
    first.start()
    answers = []
    laptop.until(lambda: answers.append(send(address, "POST", "/", b"0")) or answers[-1].status == 503, "a 503")
    assert answers[-1].body == b""
    first.join()
    assert send(address, "POST", "/", b"0").body == b"1"
