"""A home in which something happened, its dashboard, and whoever asks it."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from leeway.backends import connect
from leeway.clock import ManualClock
from leeway.record import Response
from leeway.settings import Settings
from monitoring.pages.app import create_app
from monitoring.pages.source import Source
from monitoring.pages.span import Span
from monitoring.queries import Queries

LIVE, SHADOW = "shop/server/a/default/a/v1", "shop/server/a/default/a/v2"
ROWS, DRIFT_FROM, LAG, PER_SECOND = 1_200, 600, 10, 20


class Client:
    """A browser's side of the application: keeps cookies, follows nothing."""

    def __init__(self, app: Any, base_url: str):
        self.app, self.base_url, self.cookies = app, base_url, httpx.Cookies()

    def get(self, path: str, **given: Any) -> httpx.Response:
        return self.request("GET", path, **given)

    def post(self, path: str, **given: Any) -> httpx.Response:
        return self.request("POST", path, **given)

    def request(self, method: str, path: str, **given: Any) -> httpx.Response:
        return asyncio.run(self._request(method, path, **given))

    async def _request(self, method: str, path: str, **given: Any) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=self.base_url, cookies=self.cookies) as client:
            answer = await client.request(method, path, **given)
            self.cookies.update(client.cookies)
        return answer


@dataclass
class World:
    """What a home holds, and the clock that its dashboard has."""

    reader: Any
    maker: Any
    clock: ManualClock
    decided: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return self.reader.settings

    def take(self) -> None:
        """Append what the maker made to the stream, and consume it."""
        clock = ManualClock()
        stream = connect.stream("s", self.settings, clock)
        for message in self.maker.messages:
            clock.advance(max(0.0, message.appended - clock.now()))
            stream.append([(message.key, message.value)])
        self.maker.messages.clear()
        consumer = self.reader.consumer()
        consumer.consume(stream.read(0, consumer.position, 100_000))
        stream.close()
        self.clock.advance(self.maker.appended + 1 - self.clock.now())

    def client(self, **changed: Any) -> Client:
        """Somebody at this machine, unless `base_url` or settings say otherwise."""
        base_url = changed.pop("base_url", "http://127.0.0.1:8000")
        settings = Settings(**{**_given(self.settings), **changed})
        app = create_app(settings, lambda *decision: self.decided.append(decision), self.clock)
        return Client(app, base_url)

    def source(self) -> Source:
        return Source(self.settings, self.clock)

    @property
    def span(self) -> Span:
        """The default one."""
        return Span.of({}, int(self.clock.now()))


def _given(settings: Settings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in settings.__dataclass_fields__}


@pytest.fixture
def make_world(make_reader: Callable, maker: Any) -> Callable[..., World]:
    """A function that makes a home in which nothing happened yet; settings as they are given."""

    def make(**settings: Any) -> World:
        return World(make_reader(**{"window_rows": 200, "detector_arl0": 2_000, **settings}), maker, ManualClock())

    return make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    """A home in which nothing happened yet."""
    return make_world()


@pytest.fixture
def eventful(world: World, profile_bytes: bytes) -> World:
    """1,200 rows in a minute and a shadow that sees the last 400 of them; from row 600 on demand is far from training
    and half of the answers are wrong. Ten rows failed, one thing was no record."""
    world.reader.shared.commit({f"profile/{SHADOW}": profile_bytes})
    maker, draw = world.maker, world.maker.random
    rows = [[draw.random(), draw.random() + (2 if i >= DRIFT_FROM else 0), draw.random()] for i in range(ROWS)]
    for i in range(ROWS + LAG):
        maker.appended += i % PER_SECOND == 0
        if i < ROWS:
            maker.predict("a", f"run-{i:05d}", [rows[i]])
        if 800 <= i < ROWS:
            said = {"resp": _shadow_response(i, rows[i])}
            maker.predict("a", f"run-{i:05d}", [rows[i]], endpoint_id=SHADOW, shadow_of="v1", **said)
        if i >= LAG:
            wrong = draw.random() < (0.5 if i - LAG >= DRIFT_FROM else 0.1)
            maker.truth("a", f"run-{i - LAG:05d}", [int(rows[i - LAG][0] > 0.5) ^ wrong])
        if i % 120 == 60:
            maker.predict("a", f"failed-{i}", [rows[0]], error="ValueError: no", resp=_shadow_response(0, rows[0]))
    maker.raw(b"no record", "shop/server/a")
    world.take()
    return world


def _shadow_response(i: int, row: list[float]) -> Response:
    return Response(id=f"run-{i:05d}", model_name="a", outputs=[int(row[0] > 0.6)])


@pytest.fixture
def queries(eventful: World) -> Iterator[Queries]:
    with Queries(eventful.settings) as opened:
        yield opened
