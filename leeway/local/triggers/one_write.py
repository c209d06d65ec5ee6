"""uvicorn's HTTP protocol, with each answer in one write.

uvicorn writes head and body apart, which costs a system call and wakes the client for half an answer (without
TCP_NODELAY it would cost 40 ms: the client's delayed acknowledgement).
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class OneWriteTransport:
    """A transport that keeps the head of an answer back until its body is written, or the answer is over."""

    __slots__ = ("_head", "_transport", "_write")

    def __init__(self, transport: asyncio.Transport):
        self._transport, self._write, self._head = transport, transport.write, b""

    def write(self, data: bytes) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._write(head + data)
        elif data.endswith(b"\r\n\r\n") and data.startswith(b"HTTP/1.1 ") and not data.startswith(b"HTTP/1.1 100"):
            self._head = data
        else:
            self._write(data)

    def flush(self) -> None:
        if self._head:
            self.write(b"")

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class OneWriteProtocol(HttpToolsProtocol):
    """Hand it to uvicorn.Config(http=...)."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(OneWriteTransport(transport))  # type: ignore[arg-type]

    def on_response_complete(self) -> None:
        self.transport.flush()  # type: ignore[attr-defined]  a HEAD request has no body to wait for
        super().on_response_complete()
