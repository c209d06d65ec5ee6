"""Verdicts, points, history and counts are a function of the stream: of nothing else."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from leeway.errors import StoreError
from leeway.interfaces import Archive
from monitoring.queries import Queries

AGE_S = 300  # some truth of the stream waits longer


def outcome(reader: Any) -> dict[str, Any]:
    """Everything that a reader's stores hold; ranges do not show in it."""
    with Queries(reader.settings) as queries:
        return {
            "verdicts": [msgspec.json.encode(v) for e in queries.endpoints() for v in queries.verdicts(e)],
            "points": reader.points(),
            "tables": {kind: plain(reader.table(kind)) for kind in ("prediction", "feedback", "decision", "verdict")},
            "counts": queries.counts(),
            "incidents": queries.incidents(),
            "dead letters": sorted((letter.position, letter.reason) for letter in queries.dead_letters()),
        }


def plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A column that held text in one range and numbers in another is read as text; here as numbers where it can."""
    return [{name: number(value) if name.startswith("x_") else value for name, value in row.items()} for row in rows]


def number(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


@pytest.fixture
def expected(make_reader, eventful):
    reader = make_reader(labels_age_s=AGE_S)
    reader.consumer().consume(eventful)
    return outcome(reader)


def test_the_stream_of_these_tests_is_eventful(expected):
    counts = expected["counts"]
    kinds = [*counts["predictions"].items(), *counts["feedback"].items(), *counts.items()]
    assert [name for name, n in kinds if not n] == ["dropped"]
    detectors = {incident.detector for incident in expected["incidents"]}
    assert detectors == {"concept_drift", "data_drift"}


def test_in_which_order_the_fields_of_a_record_lie_shows_in_nothing(make_reader, eventful, expected):
    """As workers write them, those of one kind begin alike, and are read in another way."""
    reader = make_reader(labels_age_s=AGE_S)
    others = [each._replace(value=backwards(each.value)) for each in eventful]
    assert [each.value for each in others] != [each.value for each in eventful]
    reader.consumer().consume(others)
    assert outcome(reader) == expected


def backwards(value: bytes) -> bytes:
    try:
        fields = msgspec.json.decode(value)
    except msgspec.DecodeError:
        return value
    return msgspec.json.encode(dict(reversed(fields.items()))) if isinstance(fields, dict) else value


@pytest.mark.parametrize("range_rows", [pytest.param(1, marks=pytest.mark.slow), 7, 500])
def test_where_ranges_end_shows_in_nothing(make_reader, eventful, expected, range_rows):
    reader = make_reader(labels_age_s=AGE_S, range_rows=range_rows)
    reader.consumer().consume(eventful)
    assert outcome(reader) == expected


def test_a_restart_after_every_range_shows_in_nothing(make_reader, eventful, expected):
    reader = make_reader(labels_age_s=AGE_S, range_rows=60)
    for start in range(0, len(eventful), 60):
        reader.consumer().consume(eventful[max(0, start - 25) : start + 60])  # the trigger delivers some again
    assert outcome(reader) == expected


class _FailingArchive(Archive):
    """Stops working at its n-th write."""

    def __init__(self, archive: Archive, writes: int):
        self._archive, self._left = archive, writes

    def write(self, kind, deployment, day, name, table):
        self._left -= 1
        if self._left < 0:
            raise StoreError("the archive is away")
        self._archive.write(kind, deployment, day, name, table)

    def read(self, kind, deployment=None, columns=None, days=(), where=()):
        return self._archive.read(kind, deployment, columns, days, where)

    def deployments(self, kind):
        return self._archive.deployments(kind)

    def files(self):
        return self._archive.files()

    def replace(self, sources, name, change=lambda table: table):
        self._archive.replace(sources, name, change)


@pytest.mark.parametrize("writes", [0, 1, 5, 12])
def test_a_range_that_was_left_halfway_is_finished_as_planned(make_reader, eventful, expected, writes):
    """Its successor has other limits, and writes the same files and points under the same names."""
    reader = make_reader(labels_age_s=AGE_S, range_rows=90)
    broken = reader.consumer(archive=_FailingArchive(reader.archive, writes))
    with pytest.raises(StoreError, match="away"):
        broken.consume(eventful)
    successor = reader.consumer(settings=replace(reader.settings, range_rows=250))
    successor.consume(eventful[broken.position :])
    assert outcome(reader) == expected


def test_a_store_that_comes_back_is_written_by_the_same_consumer(make_reader, eventful, expected):
    reader = make_reader(labels_age_s=AGE_S, range_rows=200)
    archive = _FailingArchive(reader.archive, 3)
    consumer = reader.consumer(archive=archive)
    for message in eventful:
        try:
            consumer.offer(message)
        except StoreError:
            archive._left = 1_000_000 if message.offset % 3 == 0 else 0
    consumer.close()
    assert outcome(reader) == expected
