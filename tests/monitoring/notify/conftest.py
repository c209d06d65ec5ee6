"""A receiver of messages, and a home in which incidents open and clear."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest

from monitoring.notify.notifier import Notifier


class Receiver(ThreadingHTTPServer):
    """Keeps every body that came, by path; answers with `status`."""

    def __init__(self) -> None:
        self.status, self.came, self.headers, self.heard = 200, {}, [], Event()
        super().__init__(("127.0.0.1", 0), _Keep)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"

    def bodies(self, path: str) -> list[Any]:
        return self.came.get(f"/{path}", [])


class _Keep(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.headers.append(dict(self.headers))
        self.server.came.setdefault(self.path, []).append(body)
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("location", "/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()
        self.server.heard.set()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def home(make_reader: Callable, receiver: Receiver) -> Any:
    """A reader whose notifications go to the receiver."""
    return make_reader(notify_webhook=receiver.url("plain"), notify_dashboard="https://see.example/")


@pytest.fixture
def make_notifier(home: Any) -> Iterator[Callable]:
    """A function that makes a Notifier of the home, and collects what it reports."""
    made: list[Notifier] = []

    def make(settings: Any = None) -> Notifier:
        made.append(Notifier(settings or home.settings, make.reports.append, home.clock))
        return made[-1]

    make.reports = []
    yield make
    for notifier in made:
        notifier.close()


@pytest.fixture
def drift(home: Any, maker: Any) -> Callable:
    """Consume so many rows, moved away from training or not; a window has 50."""

    def consume(rows: int, moved: bool) -> None:
        for _ in range(rows):
            number = len(maker.messages)
            x = maker.random
            maker.predict("a", f"r{number}", [[x.random(), x.random() + 3 * moved, x.random()]])
        home.consumer().consume(maker.messages)

    return consume
