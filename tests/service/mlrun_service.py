"""As much of an MLRun service as its own client asks for, on the loopback; what it stores can be looked at.

Written against what MLRun 1.12.1's client sends and reads. Whatever it does not know it answers with 404, and notes.
"""

import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

ADDRESS = "server.example:8080"


class MlrunService:
    """`kept` has what the client stored, by path without /api/vN/; `unknown` what nobody answers. Where `refusal` is
    set, that is what it says to whatever is to be stored."""

    def __init__(self) -> None:
        self.refusal = ""
        self.kept: dict[str, Any] = {}
        self.unknown: list[str] = []
        self.deployed: list[dict] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self.answer))
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        path = re.sub(r"^/api/(v\d+/)?", "", path).rstrip("/")
        if path == "client-spec":
            return 200, {"version": "1.12.1", "nuclio_version": "1.14.1", "artifact_path": "", "alerts_mode": "enabled"}
        if path.endswith("/deploy"):
            return self._deploy(method, path, body)
        if method == "GET":
            return self._read(path)
        if self.refusal:
            return 400, {"detail": self.refusal}
        return self._store(method, path, body)

    def _read(self, path: str) -> tuple[int, Any]:
        if path in self.kept:
            found = self.kept[path]
            return 200, {"data": found} if "/runs/" in path else found
        if path.endswith("/secret-keys"):
            return 200, {"provider": "kubernetes", "secret_keys": []}
        if path.endswith("/artifacts"):
            return 200, {"artifacts": [value for at, value in self.kept.items() if at.startswith(path + "/")]}
        self.unknown.append(f"GET {path}")
        return 404, {"detail": f"not found: {path}"}

    def _store(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if path == "projects":
            path = f"projects/{body['metadata']['name']}"
            body = {**body, "status": {"state": "online"}}
        if path.endswith("/model-endpoints"):
            path += f"/{body['metadata']['name']}"
        if method == "PATCH" and "/runs/" in path:
            for key, value in body.items():
                at = self.kept[path]
                *above, last = key.split(".")
                for part in above:
                    at = at.setdefault(part, {})
                at[last] = value
            return 200, {}
        if "/events/" in path:
            self.kept.setdefault(path, []).append(body)
            return 200, {}
        self.kept[path] = body
        return 200, {"hash_key": "0" * 40} if "/functions/" in path else body

    def _deploy(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if method == "POST":
            self.deployed.append(body["function"])
            return 200, {"data": body["function"], "background_tasks": {}}
        return 200, ""  # the log since the last time; the state is in headers


def _handler(answer: Callable[..., tuple[int, Any]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            url, size = urlsplit(self.path), int(self.headers.get("content-length") or 0)
            raw = self.rfile.read(size)
            body = json.loads(raw) if raw[:1] in (b"{", b"[") else raw.decode()
            status, said = answer(self.command, url.path, dict(parse_qsl(url.query)), body)
            content = said.encode() if isinstance(said, str) else json.dumps(said).encode()
            self.send_response(status)
            state = {"x-mlrun-function-status": "ready", "x-mlrun-address": ADDRESS, "x-mlrun-name": "server"}
            kind = {"content-type": "application/json", "content-length": str(len(content))}
            for name, value in {**kind, **state}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

        def log_message(self, *given: Any) -> None:
            """Not on the tests' stderr."""

    return Handler
