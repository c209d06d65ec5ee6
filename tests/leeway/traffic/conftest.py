"""A model server that answers as a test wants it to."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest


class ModelServer:
    """Answers with `answer(path, body)`, a (status, document) pair; keeps what it was sent."""

    def __init__(self, answer: Callable[[str, Any], tuple[int, Any]]):
        self.requests: list[tuple[str, Any]] = []
        self.connections = 0
        self._answer = answer
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(server) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one write an answer

            def setup(self) -> None:
                super().setup()
                server.connections += 1

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.requests.append((self.path, body))
                status, document = server._answer(self.path, body)
                if status == 0:  # the worker dies
                    self.close_connection = True
                    return
                payload = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


@pytest.fixture
def serve():
    """Starts model servers; all of them end with the test."""
    servers = []

    def start(answer: Callable[[str, Any], tuple[int, Any]]) -> ModelServer:
        servers.append(ModelServer(answer))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
