"""What can be asked of the stores."""

import pytest

from leeway.record import Position
from monitoring.queries import Queries
from monitoring.series import LATENCY_US, REQUESTS, ROWS


@pytest.fixture
def answered(make_reader, eventful):
    reader = make_reader()
    reader.consumer().consume(eventful)
    with Queries(reader.settings) as queries:
        yield queries


@pytest.fixture
def empty(make_reader):
    with Queries(make_reader().settings) as queries:
        yield queries


def test_a_home_without_a_stream_has_no_answers(empty):
    assert empty.endpoints() == empty.deployments() == empty.incidents() == empty.dead_letters() == []
    assert empty.verdicts("e") == empty.series("requests", "e") == []
    assert empty.rows(Position(0, 0), Position(0, 9)).num_rows == 0
    assert empty.counts()["predictions"]["counted"] == 0


def test_deployments_are_asked_for_by_name_or_by_stream_key(answered):
    assert answered.deployments() == ["shop/server/a", "shop/server/b"]
    assert answered.counts("a") == answered.counts("shop/server/a") != answered.counts("b")
    both = answered.counts("a")["predictions"]["counted"] + answered.counts("b")["predictions"]["counted"]
    assert answered.counts()["predictions"]["counted"] == both
    assert answered.counts("c")["predictions"]["counted"] == 0


def test_endpoints_say_how_they_are_watched(answered):
    states = {name.removeprefix("shop/server/"): found.state for name, found in answered.watched().items()}
    assert states == {
        "a/default/a/v1": "watching",
        "a/default/a/v2": "no profile",
        "b/default/b/v1": "watching",
        "b/default/b/v2": "no profile",
    }
    assert answered.endpoints() == list(answered.watched())


def test_an_alarm_names_rows_that_the_archive_holds(answered):
    for incident in answered.incidents():
        verdict = incident.opened
        found = answered.rows(verdict.first.position, verdict.last.position)
        named = {(row["offset"], row["index"], row["row"], row["id"]) for row in found.to_pylist()}
        for end in (verdict.first, verdict.last):
            assert (end.position.offset, end.position.index, end.row, end.id) in named


def test_rows_between_two_positions_are_those_and_no_others(answered):
    first, last = Position(0, 50, 0), Position(0, 90, 0)
    found = [(row["offset"], row["index"]) for row in answered.rows(first, last).to_pylist()]
    everything = answered.rows(Position(0, 0), Position(0, 10**9)).to_pylist()
    assert found == [
        (row["offset"], row["index"]) for row in everything if (50, 0) <= (row["offset"], row["index"]) <= (90, 0)
    ]
    assert len(found) > 10
    assert answered.rows(Position(1, 0), Position(1, 10**9)).num_rows == 0


def test_verdicts_can_be_asked_for_by_detector(answered):
    (name,) = [name for name in answered.endpoints() if name.startswith("shop/server/a") and name.endswith("v1")]
    found = {verdict.detector for verdict in answered.verdicts(name)}
    assert found == {"concept_drift", "data_drift"}
    only = answered.verdicts(name, "data_drift")
    assert only == [verdict for verdict in answered.verdicts(name) if verdict.detector == "data_drift"]


def test_series_and_counts_agree(answered):
    requests = rows = latencies = 0
    for endpoint in answered.endpoints():
        requests += sum(point.count for point in answered.series(REQUESTS, endpoint))
        rows += sum(point.count for point in answered.series(ROWS, endpoint))
        latencies += sum(sum(point.histogram.values()) for point in answered.series(LATENCY_US, endpoint))
    predictions = answered.counts()["predictions"]
    assert requests == latencies == predictions["counted"] + predictions["duplicate_id"] + predictions["test"]
    assert rows == predictions["rows"]
