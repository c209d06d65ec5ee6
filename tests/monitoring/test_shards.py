"""A worker's consumers, over real stores."""

import json
import logging
from dataclasses import replace
from threading import Event

import msgspec
import pytest

from leeway.backends import connect
from leeway.errors import Conflict
from leeway.log_lines import JsonLines
from leeway.record import Incident
from monitoring.queries import Queries
from monitoring.shards import Shards


@pytest.fixture
def make_shards(make_reader):
    """A function that opens the consumers of one worker; what they reported and committed is beside them."""
    reader = make_reader()
    opened = []

    def make(**settings):
        of = replace(reader.settings, **settings)
        shards = Shards(of, "s", reports.append, lambda *at: committed.append(at), reader.clock, taken=taken.set)
        opened.append(shards)
        return shards

    reports, committed, taken = [], [], Event()
    make.reader, make.reports, make.committed, make.taken = reader, reports, committed, taken
    yield make
    for shards in opened:
        shards.close()


def test_each_shard_has_a_position_of_its_own(make_shards, maker):
    maker.predict("a", "one")
    maker.predict("b", "two")
    shards = make_shards()
    shards.offer(maker.messages[0])
    shards.offer(maker.messages[1]._replace(shard=1, offset=41))
    make_shards.reader.clock.advance(2)
    shards.tick()
    assert sorted(make_shards.committed) == [(0, 1), (1, 42)]
    with Queries(make_shards.reader.settings) as queries:
        assert [(shown.shard, shown.position) for shown in queries.consumers()] == [(0, 1), (1, 42)]
        assert queries.counts()["predictions"]["counted"] == 2


def test_incidents_go_to_the_events_stream_and_to_the_log(make_shards, eventful, caplog):
    caplog.set_level(logging.INFO, "leeway.incidents")
    shards = make_shards()
    for message in eventful:
        shards.offer(message)
    shards.close()
    events = connect.stream("s-events", make_shards.reader.settings).read(0, 0, 100)
    found = [msgspec.json.decode(event.value, type=Incident) for event in events]
    with Queries(make_shards.reader.settings) as queries:
        assert {incident.id for incident in found} == {incident.id for incident in queries.incidents()}
    assert [event.key for event in events] == [incident.endpoint for incident in found]
    lines = [json.loads(JsonLines(function="drift").format(record)) for record in caplog.records]
    told = [(line["incident"], line["deployment"], line["message"].rpartition(": ")[2]) for line in lines]
    assert told == [(incident.id, incident.opened.endpoint.split("/")[2], incident.state) for incident in found]


def test_a_shard_that_somebody_else_took_says_so(make_shards, maker):
    maker.predict("a", "one")
    maker.predict("a", "two")
    first, second = make_shards(), make_shards()
    for shards in (first, second):
        shards.offer(maker.messages[0])
    make_shards.reader.clock.advance(2)
    first.tick()
    with pytest.raises(Conflict):
        second.tick()
    assert make_shards.committed == [(0, 1)]
    assert "shard 0 of s" in make_shards.reports[0]


def test_it_is_told_when_a_message_or_the_timer_finds_its_shard_taken(make_shards, maker):
    for name in ("one", "two"):
        maker.predict("a", name)
    first, second, third = make_shards(), make_shards(range_rows=2), make_shards()
    for shards in (first, second, third):
        shards.offer(maker.messages[0])
    make_shards.reader.clock.advance(2)
    first.tick()
    assert not make_shards.taken.is_set()
    with pytest.raises(Conflict):
        second.offer(maker.messages[1])
    assert make_shards.taken.is_set()
    make_shards.taken.clear()
    third.start()
    assert make_shards.taken.wait(30)
