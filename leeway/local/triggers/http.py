"""The http trigger: uvicorn, and a raw ASGI application that speaks as Nuclio's HTTP trigger does.

One event at a time: a plain handler runs on the event loop, an async one is awaited under a lock. Not there: batching,
CloudEvents, CORS, eventTimeout, X-Nuclio-Log-Level, file streaming.
Nuclio 1.14 gives every event of a worker the same id, and so does this. A body over the limit is answered 413, where
Nuclio says 400 "Error when parsing request".
"""

import asyncio
import contextlib
import posixpath
import socket
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextvars import copy_context
from datetime import UTC, datetime
from functools import partial
from time import time
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import msgspec
import nuclio_sdk
from nuclio_sdk.event import _EventDeserializer

from ..answer import Answer, UnanswerableOutput, answer
from ..function_spec import FunctionSpec, Trigger
from ..handler import Handler
from ..launch import Launch
from .base import BaseTrigger
from .light_uvicorn import Config, Server
from .prompt_protocol import BEGUN, PromptProtocol

KEEP_ALIVE_S = 20
MAX_BODY = 32 * 1024 * 1024
READ_BUFFER = 16 * 1024
_TEXT = [(b"content-type", b"text/plain; charset=utf-8")]
_PLAIN = [(b"content-type", b"text/plain")]
_TOO_LARGE = Answer(413, _TEXT, b"the body is larger than the trigger's maxRequestBodySize")
_HEADERS_TOO_LARGE = Answer(431, _TEXT, b"Too big request header")
_HEALTHY = Answer(200, _TEXT, b"")
_NO_WORKER = Answer(503, _TEXT, b"")
_CLOSE = (b"connection", b"close")
_DECODER = msgspec.json.Decoder()


class HttpTrigger(BaseTrigger):
    """Serves one listening socket, which other workers may share."""

    def __init__(self, trigger: Trigger, listener: socket.socket, logger: nuclio_sdk.Logger):
        self._trigger, self._listener, self._logger = trigger, listener, logger
        self._stop, self._hurry = asyncio.Event(), asyncio.Event()

    async def prepare(self, handler: Handler) -> None:
        self._application = HttpApplication(self._trigger, handler, self._logger)
        config = Config(
            self._application,
            http=PromptProtocol,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            headers=[("server", "nuclio")],
            timeout_keep_alive=KEEP_ALIVE_S,
        )
        config.load()
        self._server = DrainingServer(config)

    async def start(self) -> None:
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._listener]))
        while not self._server.started and not self._serving.done():
            await asyncio.sleep(0)

    def stop(self) -> None:
        (self._hurry if self._stop.is_set() else self._stop).set()

    async def stopped(self) -> None:
        await self._stop.wait()
        self._application.closing = True
        await self._server.drain(self._hurry, KEEP_ALIVE_S)
        await self._serving


class DrainingServer(Server):
    """A server that ends without failing a client: each open connection is answered once more, with
    `connection: close`. uvicorn's own way closes idle connections at once, and their next request meets that."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # the worker has its own

    async def drain(self, hurry: asyncio.Event, patience_s: float) -> None:
        """Accept nothing new; return when no connection is left, `patience_s` have passed, or at `hurry`."""
        for server in self.servers:
            server.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                while self.server_state.connections and not hurry.is_set():
                    await asyncio.sleep(0.02)
        self.should_exit = True


class HttpApplication:
    """ASGI: a request becomes an Event, what the handler returns becomes the answer, in one write."""

    def __init__(self, trigger: Trigger, handler: Handler, logger: nuclio_sdk.Logger):
        self.closing = False
        self._handler, self._logger = handler, logger
        self._max_body = int(trigger.attributes.get("maxRequestBodySize") or MAX_BODY)
        self._max_headers = int(trigger.attributes.get("readBufferSize") or READ_BUFFER)
        self._patience_s = trigger.availability_timeout_s
        self._turn = asyncio.Lock()
        self._info = nuclio_sdk.TriggerInfo("http", trigger.name)
        self._event = partial(
            nuclio_sdk.Event,
            trigger=self._info,
            _id=str(uuid4()),
            url="",
            shard_id=-1,
            num_shards=0,
            _type="",
            type_version="",
            version="",
            topic="",
        )
        self._names = HeaderNames()
        self._second, self._timestamp = 0, datetime.fromtimestamp(0, UTC).replace(tzinfo=None)
        self._warned: set[str] = set()

    async def __call__(self, scope: Mapping[str, Any], receive: Callable, send: Callable) -> None:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body = await self._rest(message["body"], receive) if message["more_body"] else message["body"]
        if BEGUN in scope:
            given = await self._in_turn(scope[BEGUN])
        elif type(asked := self._asked(scope, body)) is Answer:
            given = asked
        else:
            given = await self._in_turn(asked)
        status, headers, content = self._sealed(given)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    def at_once(self, scope: Mapping[str, Any], body: bytes) -> Answer | Coroutine | None:
        """The answer of a plain handler, or the coroutine that it returns; None of an async one, and while another
        event is under way."""
        handler = self._handler
        if handler.is_async or self._turn.locked():
            return None
        asked = self._asked(scope, body)
        if type(asked) is Answer:
            return self._sealed(asked)
        try:
            output = copy_context().run(handler.begin, asked)  # as a task would have its own
            if not handler.is_async:
                return self._sealed(answer(output, self._warn))
        except BaseException as exc:
            return self._sealed(self._failure(exc))
        return output

    def _sealed(self, given: Answer) -> Answer:
        """With what the connection needs."""
        status, headers, content = given
        headers = [*headers, (b"content-length", b"%d" % len(content))] if status != 204 else [*headers]
        if self.closing or given is _TOO_LARGE or given is _HEADERS_TOO_LARGE:
            headers.append(_CLOSE)
        return Answer(status, headers, content)

    async def _rest(self, first: bytes, receive: Callable) -> bytes | None:
        """The whole body; None where it is too large, or the client went away."""
        parts, size = [first], len(first)
        while size <= self._max_body:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            parts.append(message["body"])
            size += len(parts[-1])
            if not message["more_body"]:
                return b"".join(parts)
        return None

    def _asked(self, scope: Mapping[str, Any], body: bytes | None) -> nuclio_sdk.Event | Answer:
        """The event, or the answer to what never becomes one."""
        if body is None or len(body) > self._max_body:
            return _TOO_LARGE
        if scope["path"].startswith("/__internal/health"):
            return _HEALTHY
        try:
            return self._read(scope, body) or _HEADERS_TOO_LARGE
        except Exception as exc:
            return Answer(500, _PLAIN, self._handler.failed("Exception caught while serving", exc).encode())

    async def _in_turn(self, asked: nuclio_sdk.Event | Coroutine) -> Answer:
        """The answer to an event, or from what a handler has begun."""
        if not await self._take_turn():
            return _NO_WORKER
        try:
            output = self._handler.begin(asked) if isinstance(asked, nuclio_sdk.Event) else asked
            return answer(await output if asyncio.iscoroutine(output) else output, self._warn)
        except BaseException as exc:
            return self._failure(exc)
        finally:
            self._turn.release()

    def _failure(self, exc: BaseException) -> Answer:
        if isinstance(exc, UnanswerableOutput):
            self._logger.error(str(exc))
            return Answer(500, _TEXT, str(exc).encode())
        return Answer(500, _PLAIN, self._handler.failed("Exception caught in handler", exc).encode())

    async def _take_turn(self) -> bool:
        """Wait for a turn at most as long as Nuclio waits for a free worker."""
        if not self._turn.locked():
            return await self._turn.acquire()
        try:
            async with asyncio.timeout(self._patience_s):
                return await self._turn.acquire()
        except TimeoutError:
            return False

    def _read(self, scope: Mapping[str, Any], body: bytes) -> nuclio_sdk.Event | None:
        """The event; None where the headers are larger than the trigger's read buffer."""
        names, headers, size = self._names, {}, 0
        for name, value in scope["headers"]:
            headers[names[name]] = value.decode()
            size += len(name) + len(value)
        if size > self._max_headers:
            return None
        kind, query = headers.get("Content-Type", ""), scope["query_string"]
        return self._event(
            _decoded(body) if kind == "application/json" and body else body,
            kind,
            fields=dict(parse_qsl(query.decode(), keep_blank_values=True)) if query else {},
            headers=headers,
            method=scope["method"],
            path=normal_path(scope["path"]),
            size=len(body),
            timestamp=self._now(),
        )

    def _now(self) -> datetime:
        """Naive, UTC, whole seconds."""
        second = int(time())
        if second != self._second:
            self._second, self._timestamp = second, datetime.fromtimestamp(second, UTC).replace(tzinfo=None)
        return self._timestamp

    def _warn(self, text: str) -> None:
        if text not in self._warned and len(self._warned) < 100:
            self._warned.add(text)
            self._logger.warn(text)


def _decoded(body: bytes) -> Any:
    """As the SDK decodes JSON, bytes where it cannot. msgspec gives the same wherever it does not refuse, faster."""
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _EventDeserializer._try_deserialize_json(body)


class HeaderNames(dict[bytes, str]):
    """Canonical header names as fasthttp writes them: b"x-request-id" -> "X-Request-Id"."""

    def __missing__(self, name: bytes) -> str:
        canonical = "-".join(part[:1].upper() + part[1:] for part in name.decode().lower().split("-"))
        if len(self) < 1000:
            self[name] = canonical
        return canonical


def normal_path(path: str) -> str:
    """Without '.', '..' and doubled slashes; a slash at the end stays."""
    if "//" not in path and "/." not in path:
        return path or "/"
    normal = posixpath.normpath("/" + path.lstrip("/"))
    return normal + "/" if path.endswith("/") and normal != "/" else normal


def create(
    trigger: Trigger, spec: FunctionSpec, launch: Launch, listener: socket.socket | None, logger: nuclio_sdk.Logger
) -> HttpTrigger:
    assert listener is not None  # the supervisor gives every http worker one
    return HttpTrigger(trigger, listener, logger)
