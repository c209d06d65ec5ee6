"""What a caller of a model server needs: one keep-alive connection, and the whole duration of each call."""

import http.client
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import orjson

from leeway.errors import LeewayError

_PAUSE_S = 0.1
_HEADERS = {"Content-Type": "application/json"}


class NoAnswer(LeewayError):
    """The server could not be reached, or did not answer in time."""


class Answer(NamedTuple):
    """What came back. `body` is the decoded JSON, or the bytes where they are none; `latency_us` spans the whole call,
    `attempts` counts how often it was sent."""

    status: int
    body: Any
    latency_us: int
    attempts: int

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300


class Client:
    """One keep-alive HTTP connection. Not for several threads at once.

    A request that got no answer because the connection broke is sent again, as it is, until `patience_s` is over: the
    server may see it twice. One that is answered late (`timeout_s`) is not.
    """

    def __init__(
        self,
        url: str,
        timeout_s: float = 30.0,
        patience_s: float = 30.0,
        clock_ns: Callable[[], int] = time.perf_counter_ns,
    ):
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise LeewayError(f"{url!r} is no HTTP address; give it as http://host:port or host:port")
        make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = make(parts.netloc, timeout=timeout_s)
        self._url, self._base = url, parts.path.rstrip("/")
        self._timeout_s, self._patience_s, self._clock_ns = timeout_s, patience_s, clock_ns

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def post(self, path: str, body: Any) -> Answer:
        """POST a JSON document; NoAnswer where none comes."""
        data = orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
        begin = time.monotonic()
        attempts = 0
        while True:
            attempts += 1
            try:
                return self._exchange(path, data, attempts)
            except TimeoutError:
                self.close()
                raise NoAnswer(f"POST {self._url}{path}: no answer within {self._timeout_s:g} s") from None
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if time.monotonic() - begin >= self._patience_s:
                    raise NoAnswer(f"POST {self._url}{path}: {error or type(error).__name__}; is it running?") from None
                if attempts > 1:  # the first break may be no more than an idle connection that was closed
                    time.sleep(_PAUSE_S)

    def _exchange(self, path: str, data: bytes, attempts: int) -> Answer:
        begin = self._clock_ns()
        self._connection.request("POST", f"{self._base}/{path.lstrip('/')}", data, _HEADERS)
        response = self._connection.getresponse()
        payload = response.read()
        return Answer(response.status, _decoded(payload), (self._clock_ns() - begin) // 1000, attempts)


def _decoded(payload: bytes) -> Any:
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError:
        return payload
