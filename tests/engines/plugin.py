"""The engines of the tests as fixtures, each started when it is first asked for.

A test that needs one carries `engine(name)`. On a machine where it cannot be started the test is left out, which the
summary says with the reason; with CI=true nothing is left out, and a missing engine fails.
"""

import os
from collections import Counter
from collections.abc import Iterator

import pytest

from .frames_double import FramesDouble
from .kafka_broker import KafkaBroker, SecureKafkaBroker
from .postgres_server import PostgresServer
from .s3_server import S3Server
from .server import Server
from .timescale_server import TimescaleServer
from .v3io_double import V3ioDouble
from .zipkin_server import ZipkinServer

_KINDS: list[type[Server]] = [KafkaBroker, SecureKafkaBroker, PostgresServer, S3Server, TimescaleServer, ZipkinServer]
ENGINES = {kind.name: kind for kind in _KINDS}
_LEFT_OUT = pytest.StashKey[Counter[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_LEFT_OUT] = Counter()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("CI") == "true":
        return
    missing = {name: kind.missing() for name, kind in ENGINES.items()}
    left_out = [(item, reason) for item in items if (reason := _reason(item, missing))]
    if left_out:
        config.hook.pytest_deselected(items=[item for item, _ in left_out])
        config.stash[_LEFT_OUT].update(reason for _, reason in left_out)
        gone = {id(item) for item, _ in left_out}
        items[:] = [item for item in items if id(item) not in gone]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for reason, count in sorted(config.stash[_LEFT_OUT].items()):
        terminalreporter.write_line(f"left out: {count} tests, as this machine lacks {reason}", yellow=True)


def _reason(item: pytest.Item, missing: dict[str, str]) -> str:
    needed = [marker.args[0] for marker in item.iter_markers("engine")]
    return "; ".join(dict.fromkeys(missing[name] for name in needed if missing[name]))


def _running(kind: type[Server]) -> Iterator[Server]:
    if reason := kind.missing():
        pytest.fail(f"this machine lacks {reason}", pytrace=False)
    server = kind()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    yield from _running(PostgresServer)


@pytest.fixture(scope="session")
def timescale() -> Iterator[Server]:
    yield from _running(TimescaleServer)


@pytest.fixture(scope="session")
def kafka() -> Iterator[Server]:
    yield from _running(KafkaBroker)


@pytest.fixture(scope="session")
def secure_kafka() -> Iterator[Server]:
    yield from _running(SecureKafkaBroker)


@pytest.fixture(scope="session")
def s3() -> Iterator[Server]:
    yield from _running(S3Server)


@pytest.fixture(scope="session")
def zipkin() -> Iterator[Server]:
    yield from _running(ZipkinServer)


@pytest.fixture(scope="session")
def v3io() -> Iterator[V3ioDouble]:
    double = V3ioDouble()
    yield double
    double.stop()


@pytest.fixture(scope="session")
def frames() -> Iterator[FramesDouble]:
    double = FramesDouble("of-the-tests")
    yield double
    double.stop()
