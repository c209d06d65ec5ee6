"""The ways between which the protocol chooses, over a real socket; tests/local/platform/contract has what they say."""

import asyncio
import socket
import sys
import threading

import nuclio_sdk
import pytest

from leeway.local.function_spec import Trigger
from leeway.local.handler import Handler, create_logger
from leeway.local.triggers import http

CODE = """
import asyncio
from nuclio_sdk import Response

seen, began = [], []

async def later(event):
    seen.append(("began", event.path))
    await asyncio.sleep(0)
    seen.append(("ended", event.path))
    return event.path

def handler(context, event):
    if event.path.startswith("/later"):
        return later(event)
    seen.append(("at once" if asyncio.current_task() is None else "task", event.path))
    if event.path == "/name":
        return Response({"no name": "x"}, "body")
    if event.path == "/value":
        return Response({"X-A": "a\\x00b"}, "body")
    if event.path == "/closes":
        return Response({"Connection": "Close"}, "body")
    return f"{event.method} {event.path} {event.fields} {len(event.body)}"
"""


@pytest.fixture
def serve(tmp_path, monkeypatch):
    """serve() -> (its address, the handler's module, what tells it to end), in a thread with a loop of its own."""
    running = []

    def start():
        name = f"handler_{tmp_path.name}".replace("-", "_")
        (tmp_path / f"{name}.py").write_text(CODE)
        monkeypatch.syspath_prepend(tmp_path)
        logger = create_logger("tests", 0)
        context = nuclio_sdk.Context(logger, None, "0", nuclio_sdk.TriggerInfo("http", "http"))
        handler = Handler(name, "handler", context, False)
        listener = socket.create_server(("127.0.0.1", 0))
        trigger = http.HttpTrigger(Trigger("http", "http", "http"), listener, logger)
        loop, ready = asyncio.new_event_loop(), threading.Event()

        async def run():
            await trigger.prepare(handler)
            await trigger.start()
            ready.set()
            await trigger.stopped()

        def work():
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(run())

        thread = threading.Thread(target=work)
        thread.start()
        ready.wait()
        running.append((trigger, loop, thread))
        return listener.getsockname(), sys.modules[name], lambda: loop.call_soon_threadsafe(trigger.stop)

    yield start
    for trigger, loop, thread in running:
        if thread.is_alive():
            loop.call_soon_threadsafe(trigger.stop)
            loop.call_soon_threadsafe(trigger.stop)
        thread.join()


def said(wire):
    """The next answer: (status line, headers, body)"""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = wire.recv(1)
        assert byte, head
        head += byte
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines if line)
    body = b""
    while len(body) < int(headers["content-length"]):
        body += wire.recv(int(headers["content-length"]) - len(body))
    return first, headers, body.decode()


def test_what_is_whole_is_answered_without_a_task(serve):
    address, module, _ = serve()
    with socket.create_connection(address) as wire:
        for sent, expected in (
            (b"GET /a?x=1&y= HTTP/1.1\r\nhost: x\r\n\r\n", "GET /a {'x': '1', 'y': ''} 0"),
            (b"GET /a%20b//c HTTP/1.1\r\nhost: x\r\n\r\n", "GET /a b/c {} 0"),
            (b"GET http://other.test/d?z HTTP/1.1\r\nhost: x\r\n\r\n", "GET /d {'z': ''} 0"),
            (b"POST /e HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", "POST /e {} 3"),
        ):
            wire.sendall(sent)
            assert said(wire)[2] == expected
        wire.sendall(b"POST /pieces HTTP/1.1\r\ncontent-length: 6\r\n")
        for piece in (b"\r\nab", b"cd", b"ef"):
            wire.sendall(piece)
        first, headers, body = said(wire)
        assert (first, body) == ("HTTP/1.1 200 OK", "POST /pieces {} 6")
        assert headers["server"] == "nuclio" and "date" in headers and "connection" not in headers
    assert {how for how, _ in module.seen} == {"at once"}


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"GET /old HTTP/1.0\r\n\r\n", "GET /old {} 0"),
        (b"GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n", "GET /ws {} 0"),
        (b"POST /large HTTP/1.1\r\ncontent-length: 200000\r\n\r\n" + b"x" * 200_000, "POST /large {} 200000"),
    ],
)
def test_the_rest_is_answered_as_uvicorn_does(serve, sent, expected):
    address, module, _ = serve()
    with socket.create_connection(address) as wire:
        wire.sendall(sent)
        assert said(wire)[2] == expected
    assert [how for how, _ in module.seen] == ["task"]


def test_who_waits_for_leave_to_send_gets_it(serve):
    address, _, _ = serve()
    with socket.create_connection(address) as wire:
        wire.sendall(b"POST / HTTP/1.1\r\ncontent-length: 2\r\nExpect: 100-Continue\r\n\r\n")
        assert wire.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        wire.sendall(b"ab")
        assert said(wire)[2] == "POST / {} 2"
        wire.sendall(b"GET /next HTTP/1.1\r\n\r\n")
        assert said(wire)[2] == "GET /next {} 0"


def test_a_plain_handler_that_turns_out_to_want_time_still_sees_one_event_at_a_time(serve):
    address, module, _ = serve()
    ahead = [b"GET /%s HTTP/1.1\r\nhost: x\r\n\r\n" % path for path in (b"first", b"later/1", b"second", b"later/2")]
    with socket.create_connection(address) as wire:
        wire.sendall(b"".join(ahead))
        assert [said(wire)[2] for _ in ahead] == ["GET /first {} 0", "/later/1", "GET /second {} 0", "/later/2"]
    assert module.seen == [
        ("at once", "/first"), ("began", "/later/1"), ("ended", "/later/1"), ("task", "/second"),
        ("began", "/later/2"), ("ended", "/later/2"),
    ]  # fmt: skip


@pytest.mark.parametrize("path", ["/name", "/value"])
def test_a_header_that_http_does_not_know_is_a_500_and_nothing_of_it_is_sent(serve, path):
    address, _, _ = serve()
    with socket.create_connection(address) as wire:
        wire.sendall(b"GET %s HTTP/1.1\r\n\r\n" % path.encode())
        first, headers, body = said(wire)
        assert (first, body) == ("HTTP/1.1 500 Internal Server Error", "Internal Server Error")
        assert headers["connection"] == "close" and wire.recv(10) == b""
    with socket.create_connection(address) as wire:
        wire.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert said(wire)[0] == "HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    "sent", [b"GET / HTTP/1.1\r\nconnection: close\r\n\r\n", b"GET /closes HTTP/1.1\r\n\r\n"], ids=["caller", "handler"]
)
def test_a_connection_closes_where_either_says_so(serve, sent):
    address, _, _ = serve()
    with socket.create_connection(address) as wire:
        wire.sendall(sent)
        assert said(wire)[1]["connection"].lower() == "close"
        assert wire.recv(10) == b""


def test_what_is_no_http_is_a_400(serve):
    address, _, _ = serve()
    with socket.create_connection(address) as wire:
        wire.sendall(b"GET \xff HTTP/1.1\r\n\r\n")
        assert said(wire)[0] == "HTTP/1.1 400 Bad Request"


def test_a_connection_that_is_quiet_is_closed_and_one_that_is_asked_stays(serve, monkeypatch):
    monkeypatch.setattr(http, "KEEP_ALIVE_S", 0.3)
    address, _, _ = serve()
    with socket.create_connection(address) as quiet, socket.create_connection(address) as busy:
        quiet.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert said(quiet)[0] == "HTTP/1.1 200 OK"
        quiet.setblocking(False)
        while True:
            busy.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert said(busy)[0] == "HTTP/1.1 200 OK"
            try:
                assert quiet.recv(10) == b""
                break
            except BlockingIOError:
                continue
        busy.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert said(busy)[0] == "HTTP/1.1 200 OK"


@pytest.mark.parametrize("times", [1, 2], ids=["end", "hurry"])
def test_a_request_that_is_still_being_sent_at_the_end_is_answered(serve, times):
    address, _, end = serve()
    with socket.create_connection(address) as wire, socket.create_connection(address) as idle:
        idle.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert said(idle)[0] == "HTTP/1.1 200 OK"
        wire.sendall(b"GET / HTTP/1.1\r\n\r\nPOST /half HTTP/1.1\r\ncontent-length: 2\r\n\r\na")
        assert said(wire)[2] == "GET / {} 0"
        for _ in range(times):
            end()
        if times == 1:
            told = ""
            while told != "close":
                idle.sendall(b"GET /last HTTP/1.1\r\n\r\n")
                told = said(idle)[1].get("connection", "")
        assert idle.recv(10) == b""
        wire.sendall(b"b")
        _, headers, body = said(wire)
        assert (headers["connection"], body) == ("close", "POST /half {} 2")
        assert wire.recv(10) == b""
