"""`leeway status` tells what the stores hold, and creates none."""

import socket
from dataclasses import replace

import pytest
from click.testing import CliRunner

from leeway.backends import connect
from leeway.cli import main
from leeway.clock import ManualClock
from leeway.interfaces import Message
from leeway.local.stores import stores
from leeway.settings import Settings
from monitoring.consumer import Consumer
from monitoring.metrics import metrics
from monitoring.queries import Queries
from monitoring.shards import Shards
from monitoring.status import status

STREAM = "users/admin/elec"


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home")


def test_an_empty_home_stays_empty(settings):
    found = stores(settings)
    assert found["streams"] == found["endpoints"] == []
    assert not settings.home.exists()


def test_a_stream_shows_what_was_appended_and_what_waits(settings):
    stream = connect.stream(STREAM, settings)
    stream.append([("p/f/d", b"no record")] * 5)
    consumers = Shards(settings, STREAM, pytest.fail, lambda shard, position: None)
    for message in stream.read(0, 0, 3):
        consumers.offer(Message(*message))
    consumers.close()
    stream.close()
    found = {each["name"]: each for each in stores(settings)["streams"]}
    assert found[STREAM] == {"name": STREAM, "shards": 1, "appended": 5, "waiting": 2, "lost": 0, "error": ""}
    assert found[f"{STREAM}-events"]["waiting"] is None
    (counted,) = stores(settings)["deployments"]
    assert counted == {"name": "p/f/d", "lost": 0, "dropped": 0, "dead_lettered": 3, "pending": 0}


def test_a_broker_that_is_away_is_told_beside_what_is_known(settings, monkeypatch):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"v3io://{nobody.getsockname()[0]}:{nobody.getsockname()[1]}/users/elec"
        consume(url, settings)
        connect.stream(STREAM, settings).close()
        here, away = stores(replace(settings, stream_timeout_s=0.2))["streams"]
        assert (here["name"], here["error"]) == (STREAM, "")
        assert (away["name"], away["appended"]) == (url, None)
        assert "users/elec" in away["error"]
        monkeypatch.setenv("LEEWAY_HOME", str(settings.home))
        monkeypatch.setenv("LEEWAY_STREAM_TIMEOUT_S", "0.2")
        shown = CliRunner().invoke(main, ["status"])
        assert (shown.exit_code, shown.output.count(f"stream    {url}: cannot be read: ")) == (0, 1)
        with Queries(replace(settings, stream_timeout_s=0.2)) as queries:
            assert "users/elec" in status(queries)["streams"][url]["error"]
            text = metrics(queries, queries.settings, 0)
            assert b"leeway_position{" in text and b"leeway_stream_lag{" not in text


def test_names_that_lie_on_a_broker_are_looked_for_there(settings):
    connect.stream(STREAM, settings).close()
    consume("elsewhere", settings)
    (found,) = stores(replace(settings, stream=f"embedded://{settings.home}/moved"))["streams"]
    assert (found["name"], found["error"]) == ("elsewhere", "")


def consume(url, settings):
    """One message of a stream that need not be there."""
    kept = connect.state(settings, "s"), connect.state(settings, "shared"), connect.series(settings)
    archive = connect.archive(settings)
    consumer = Consumer(url, 0, settings, *kept, archive, ManualClock(), lambda incident: None, "s")
    consumer.consume([Message(0, 0, 1_700_000_000, "p/f/d", b"no record")])
    for store in kept:
        store.close()


def test_places_have_a_size_and_urls_of_services_none(settings, tmp_path):
    connect.stream(STREAM, settings).close()
    found = stores(Settings(home=settings.home, series="postgresql://me:secret@somewhere/leeway"))["stores"]
    assert found["streams"]["bytes"] > 0
    assert found["series"] == {"at": "postgresql://me:***@somewhere/leeway", "bytes": None, "locked": False}
    assert found["archive"] == {"at": str(tmp_path / "home" / "archive"), "bytes": 0, "locked": False}
