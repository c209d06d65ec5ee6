"""The backends, by kind of store: each suite of this folder runs over all of its kind."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from leeway.backends import connect
from leeway.clock import ManualClock
from leeway.interfaces import Archive, SeriesStore, State, Stream
from leeway.settings import Settings, variable
from tests.engines.wire import Wire
from tests.until import until

_ROOT = Path(__file__).parents[2]
_CHILDREN = Path(__file__).parent / "children"


def _with(name: str, *engines: str) -> Any:
    """A backend that needs these servers."""
    return pytest.param(name, marks=[pytest.mark.slow, *(pytest.mark.engine(each) for each in engines)])


STREAMS = ["embedded", _with("kafka", "kafka"), "v3io"]
DATABASES = ["sqlite", _with("postgres", "postgres")]
SERIES = [*DATABASES, _with("timescale", "timescale"), _with("frames")]
ARCHIVES = ["folder", "memory", _with("s3", "s3")]


@dataclass(frozen=True)
class Place:
    """Where stores of one test lie: settings and, for streams, the URL; `now` is the time that a stream goes by."""

    settings: Settings
    url: str = ""
    now: Callable[[], float] = time.time
    server: Any = None
    largest: int = 10_000_000

    @property
    def environment(self) -> dict[str, str]:
        """The settings for a child process."""
        given = {f: getattr(self.settings, f.name) for f in fields(Settings)}
        names = {f.metadata["foreign"] or variable(f.metadata["key"]): value for f, value in given.items()}
        return {"PYTHONPATH": str(_ROOT), **{name: str(value) for name, value in names.items()}}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=STREAMS)
def stream_place(request: pytest.FixtureRequest, home: Path, clock: ManualClock) -> Place:
    kind, settings = request.param, Settings(home=home, stream_timeout_s=3.0)
    name = f"users/admin/elec-{uuid4().hex[:8]}"
    if kind == "embedded":
        return Place(settings, name, clock.now)
    server = request.getfixturevalue(kind)
    if kind == "kafka":
        return Place(settings, f"{server.url}/{name}", server=server)
    with_api = replace(settings, v3io_api=server.url, v3io_access_key="of-the-tests")
    return Place(with_api, f"v3io:///{name}", server=server, largest=1_000_000)


@pytest.fixture
def open_stream(stream_place: Place, clock: ManualClock) -> Iterator[Callable[..., Stream]]:
    """Opens one and the same stream, as often as it is called."""
    opened = []

    def open_it(shards: int = 1) -> Stream:
        settings = replace(stream_place.settings, stream_shards=shards)
        opened.append(connect.stream(stream_place.url, settings, clock))
        return opened[-1]

    yield open_it
    for stream in opened:
        stream.close()


def _database(request: pytest.FixtureRequest, home: Path) -> Place:
    """On a server, a schema or a path of its own."""
    if request.param == "sqlite":
        return Place(Settings(home=home))
    if request.param == "frames":
        double = request.getfixturevalue("frames")
        url, key = f"v3io:///users/{uuid4().hex[:8]}", "of-the-tests"
        return Place(Settings(home=home, series=url, v3io_framesd=double.url, v3io_access_key=key), server=double)
    import psycopg

    server, schema = request.getfixturevalue(request.param), f"t{uuid4().hex[:8]}"
    with closing(psycopg.connect(server.url, autocommit=True)) as connection:
        connection.execute(f"CREATE SCHEMA {schema}".encode())
    url = f"{server.url}?options=-csearch_path%3D{schema},public"
    return Place(Settings(home=home, state=url, series=url), server=server)


@pytest.fixture(params=DATABASES)
def database_place(request: pytest.FixtureRequest, home: Path) -> Place:
    """For state."""
    return _database(request, home)


@pytest.fixture(params=SERIES)
def series_place(request: pytest.FixtureRequest, home: Path) -> Iterator[Place]:
    """TimescaleDB of one process forgets everything when it ends, so it is the wire to it that goes away."""
    place = _database(request, home)
    if request.param == "timescale":
        wire = Wire(place.server.port)
        url = place.settings.series.replace(f":{place.server.port}/", f":{wire.port}/")
        yield replace(place, settings=replace(place.settings, series=url), server=wire)
        wire.stop()
    else:
        yield place


@pytest.fixture
def series(series_place: Place) -> Iterator[SeriesStore]:
    with closing(connect.series(series_place.settings)) as store:
        yield store


@pytest.fixture
def open_state(database_place: Place) -> Iterator[Callable[..., State]]:
    """Opens the state of a name."""
    opened = []

    def open_it(name: str = "shared") -> State:
        opened.append(connect.state(database_place.settings, name))
        return opened[-1]

    yield open_it
    for state in opened:
        state.close()


@pytest.fixture(params=ARCHIVES)
def archive_place(request: pytest.FixtureRequest, home: Path) -> Iterator[Place]:
    bucket = f"b{uuid4().hex[:8]}"
    if request.param == "folder":
        yield Place(Settings(home=home, archive=f"file://{home}/archive"))
    elif request.param == "memory":
        yield Place(Settings(home=home, archive=f"memory://{bucket}/some/folder"))
    else:
        server = request.getfixturevalue("s3")
        wire = Wire(server.port)
        base, _, options = server.url(bucket, wire.port).partition("?")
        yield Place(Settings(home=home, archive=f"{base}/some/folder?{options}"), server=wire)
        wire.stop()


@pytest.fixture
def archive(archive_place: Place) -> Archive:
    return connect.archive(archive_place.settings)


@pytest.fixture
def archive_files(archive_place: Place) -> tuple[Any, str]:
    """(pyarrow's file system, folder) of the archive, as another program would open it."""
    from fsspec.core import url_to_fs
    from pyarrow import fs

    url = archive_place.settings.archive
    if url.startswith("memory:"):
        files, base = url_to_fs(url)
        return fs.PyFileSystem(fs.FSSpecHandler(files)), base
    return fs.FileSystem.from_uri(url)


@pytest.fixture
def child() -> Iterator[Callable[..., subprocess.Popen]]:
    """Starts a script of children/ in a process of its own; its lines come through stdout."""
    started: list[subprocess.Popen] = []

    def start(place: Place, name: str, *arguments: Any) -> subprocess.Popen:
        command = [sys.executable, str(_CHILDREN / f"{name}.py"), *map(str, arguments)]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=place.environment))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        with process:
            process.wait()


@pytest.fixture
def killed(child: Callable[..., subprocess.Popen]) -> Callable[..., None]:
    """Lets a child write to the store of a place until `written` says so, and `check` all the while; then kills it."""

    def write(place: Place, kind: str, written: Callable[[], bool], check: Callable[[], None]) -> None:
        writer = child(place, "write_until_killed", kind)

        def look() -> bool:
            assert writer.poll() is None
            check()
            return written()

        until(look, "some writes")
        writer.kill()
        writer.wait()
        check()

    return write


@pytest.fixture
def away() -> Callable[[Any], Any]:
    """A server is away as long as the context lasts."""

    @contextmanager
    def keep_away(server: Any) -> Iterator[None]:
        server.stop()
        try:
            yield
        finally:
            server.start()

    return keep_away
