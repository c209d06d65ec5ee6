"""`leeway status` tells what the stores hold, and creates none."""

import pytest

from leeway.backends import connect
from leeway.interfaces import Message
from leeway.local.stores import stores
from leeway.settings import Settings
from monitoring.shards import Shards

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
    assert found[STREAM] == {"name": STREAM, "shards": 1, "appended": 5, "waiting": 2, "lost": 0}
    assert found[f"{STREAM}-events"]["waiting"] is None
    (counted,) = stores(settings)["deployments"]
    assert counted == {"name": "p/f/d", "lost": 0, "dropped": 0, "dead_lettered": 3, "pending": 0}


def test_places_have_a_size_and_urls_of_services_none(settings, tmp_path):
    connect.stream(STREAM, settings).close()
    found = stores(Settings(home=settings.home, series="postgresql://somewhere/leeway"))["stores"]
    assert found["streams"]["bytes"] > 0
    assert found["series"] == {"at": "postgresql://somewhere/leeway", "bytes": None}
    assert found["archive"] == {"at": str(tmp_path / "home" / "archive"), "bytes": 0}
