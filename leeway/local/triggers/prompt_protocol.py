"""uvicorn's HTTP protocol, which answers at once what can be: a request that is whole, by a handler that just returns.

uvicorn's own way makes a task, a scope, an event and three messages for each request, and a timer for each pause that
follows one.
"""

import asyncio
from typing import Any
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HEADER_RE, HEADER_VALUE_RE, STATUS_LINE

from ..answer import Answer
from .one_write import OneWriteProtocol

BEGUN = "leeway.begun"
_BROKEN = Answer(500, [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"21"),
                       (b"connection", b"close")], b"Internal Server Error")  # fmt: skip


class PromptProtocol(OneWriteProtocol):
    """Hand it to uvicorn.Config(http=...), with an ASGI application that has `at_once(scope, body)` too.

    That is given a scope of method, path, query_string and headers. It returns an Answer; or None where it is to be
    asked as ASGI does; or something else, which it is then asked with, as BEGUN in the scope. So is it asked, in
    uvicorn's own way, about what is larger than 64 KiB, comes before an earlier request has its answer, waits for
    100 Continue, wants another protocol, or is not HTTP/1.1.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wire = transport
        self._body = b""
        self._is_prompt = self._keeps = self._ends = False
        self._default_headers: list[tuple[bytes, bytes]] = []
        self._default_lines = b""
        self._quiet_since: float | None = None
        self._quiet_timer: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._quiet_timer is not None:
            self._quiet_timer.cancel()

    def shutdown(self) -> None:
        if self._is_prompt:
            self._ends = True  # with the answer to what is still being sent
        else:
            super().shutdown()

    # Parser callbacks
    def on_message_begin(self) -> None:
        self.url, self.headers, self._body = b"", [], b""
        self.expect_100_continue = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(name) == 6 and name.lower() == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        parser, cycle = self.parser, self.cycle
        self._is_prompt = (
            (cycle is None or cycle.response_complete)
            and not self.expect_100_continue
            and not self.flow.write_paused
            and not parser.should_upgrade()
            and parser.get_http_version() == "1.1"
        )
        if self._is_prompt:
            self._keeps = parser.should_keep_alive()
        else:
            self._go_uvicorns_way()

    def on_body(self, body: bytes) -> None:
        if not self._is_prompt:
            super().on_body(body)
            return
        self._body = self._body + body if self._body else body
        if len(self._body) > HIGH_WATER_LIMIT:
            self._go_uvicorns_way()

    def on_message_complete(self) -> None:
        if not self._is_prompt:
            super().on_message_complete()
            return
        method, (path, query) = self.parser.get_method().decode(), _parsed(self.url)
        scope = {"method": method, "path": path, "query_string": query, "headers": self.headers}
        given = self.app.at_once(scope, self._body)  # type: ignore[union-attr]
        if type(given) is Answer:
            self._is_prompt, self._body = False, b""
            self._send(given, has_body=method != "HEAD")
        else:
            self._go_uvicorns_way(given)
            super().on_message_complete()

    def _go_uvicorns_way(self, begun: Any = None) -> None:
        """From here on, with what has come so far."""
        self._is_prompt = False
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        body, self._body = self._body, b""
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += [(name.lower(), value) for name, value in headers]
        if begun is not None:
            self.scope[BEGUN] = begun  # type: ignore[typeddict-unknown-key]
        super().on_headers_complete()
        if self._ends:
            self.cycle.keep_alive = False
        if body:
            super().on_body(body)

    def _send(self, answer: Answer, has_body: bool) -> None:
        if self._wire.is_closing():
            return
        try:
            head, keeps = self._head(answer)
        except ValueError as error:
            self.logger.error("%s", error)
            answer = _BROKEN
            head, keeps = self._head(answer)
        self._wire.write(head + answer.body if has_body else head)
        self.server_state.total_requests += 1
        if keeps:
            self._be_quiet()
        else:
            self._wire.close()

    def _head(self, answer: Answer) -> tuple[bytes, bool]:
        """(the head of an answer, whether the connection stays open); ValueError where HTTP does not allow it."""
        defaults = self.server_state.default_headers
        if self._default_headers is not defaults:  # made anew each second, as one of them is the time
            self._default_lines = b"".join(b"%s: %s\r\n" % each for each in defaults)
            self._default_headers = defaults
        lines = [STATUS_LINE[answer.status], self._default_lines]
        keeps, tells = self._keeps and not self._ends, False
        for name, value in answer.headers:
            if HEADER_VALUE_RE.search(value):
                raise ValueError(f"header {name!r} holds a control character: {value[:80]!r}")
            begin = _NAMES[name]
            if begin == b"connection: " and b"close" in value.lower():
                keeps, tells = False, True
            lines += (begin, value, b"\r\n")
        lines.append(b"\r\n" if keeps or tells else b"connection: close\r\n\r\n")
        return b"".join(lines), keeps

    # What follows an answer
    def on_response_complete(self) -> None:
        self.transport.flush()  # type: ignore[attr-defined]  a HEAD request has no body to wait for
        self.server_state.total_requests += 1
        if self._wire.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._be_quiet()

    def _be_quiet(self) -> None:
        """One timer a connection, which looks how long it has been so."""
        self._quiet_since = self.loop.time()
        if self._quiet_timer is None:
            self._quiet_timer = self.loop.call_later(self.timeout_keep_alive, self._look)

    def _unset_keepalive_if_required(self) -> None:
        self._quiet_since = None

    def _look(self) -> None:
        since, now = self._quiet_since, self.loop.time()
        left_s = self.timeout_keep_alive - (0 if since is None else now - since)
        if left_s > 0:
            self._quiet_timer = self.loop.call_later(left_s, self._look)
        else:
            self.timeout_keep_alive_handler()


class _Names(dict[bytes, bytes]):
    """What begins the line of a header, by its name; ValueError where HTTP allows none like it."""

    def __missing__(self, name: bytes) -> bytes:
        if HEADER_RE.search(name):
            raise ValueError(f"HTTP does not allow a header of the name {name[:80]!r}")
        line = name.lower() + b": "
        if len(self) < 1_000:
            self[name] = line
        return line


_NAMES = _Names()


def _parsed(url: bytes) -> tuple[str, bytes]:
    """(path, query)"""
    if url[:1] == b"/" and b"?" not in url and b"#" not in url:
        path, query = url, b""
    else:
        parsed = httptools.parse_url(url)
        path, query = parsed.path, parsed.query or b""
    text = path.decode("ascii")
    return (unquote(text) if "%" in text else text), query
