"""When an endpoint is watched, and with what."""

import msgspec
import pyarrow.compute as pc
import pytest

from leeway.profile import Profile
from monitoring.queries import Queries

ENDPOINT = "shop/server/a/default/a/v1"


def answer_all(maker, count, prefix, **fields):
    """Answer `count` requests, with their truth after each; every tenth answer is wrong."""
    for i in range(count):
        id = f"{prefix}-{i}"
        record = maker.prediction("a", id, **fields)
        maker.append(record)
        maker.truth("a", id, [record.resp.outputs[0] ^ (i % 10 == 0)])


def verdicts(reader):
    with Queries(reader.settings) as queries:
        return queries.verdicts(ENDPOINT), queries.watched()[ENDPOINT].state


def test_without_a_profile_rows_are_recorded_and_nothing_is_judged(make_reader, maker):
    answer_all(maker, 100, "r")
    reader = make_reader(profile=None)
    reader.consumer().consume(maker.messages)
    assert verdicts(reader) == ([], "no profile")
    assert len(reader.table("prediction")) == 100


def test_watching_begins_when_the_profile_comes_and_keeps_that_profile(make_reader, maker, profile_bytes):
    answer_all(maker, 100, "early")
    reader = make_reader(profile=None)
    consumer = reader.consumer()
    consumer.consume(maker.messages)
    reader.shared.commit({f"profile/{ENDPOINT}": profile_bytes})
    answer_all(maker, 60, "late")
    consumer.consume(maker.messages)
    reader.shared.commit({f"profile/{ENDPOINT}": b"a later version of it"})
    answer_all(maker, 50, "later")
    reader.consumer().consume(maker.messages)
    found, state = verdicts(reader)
    assert state == "watching"
    windows = [verdict for verdict in found if verdict.detector == "data_drift"]
    assert [(verdict.first.id, verdict.last.id) for verdict in windows] == [
        ("late-0", "late-49"),
        ("late-50", "later-39"),
    ]


def test_a_profile_that_cannot_be_read_is_named_and_not_used(make_reader, maker):
    answer_all(maker, 60, "r")
    reader = make_reader(profile=b'{"version": 99}')
    reader.consumer().consume(maker.messages)
    found, state = verdicts(reader)
    assert found == []
    assert "version 99" in state


@pytest.mark.parametrize("restart", [False, True])
def test_an_unknown_error_level_is_set_by_the_first_labelled_rows(make_reader, maker, profile_bytes, restart):
    unknown = msgspec.structs.replace(Profile.from_bytes(profile_bytes), errors=None).to_bytes()
    answer_all(maker, 79, "r")
    reader = make_reader(profile=unknown, warming_rows=80)
    consumer = reader.consumer()
    consumer.consume(maker.messages)
    assert verdicts(reader)[1] == "warming"
    answer_all(maker, 600, "s")
    (reader.consumer() if restart else consumer).consume(maker.messages)
    found, state = verdicts(reader)
    assert state == "watching"
    stretch = next(verdict for verdict in found if verdict.detector == "concept_drift" and verdict.status == 0)
    assert (stretch.rows, stretch.first.id, stretch.last.id) == (500, "s-1", "s-500")
    assert stretch.details["source"] == "warming"


def test_tests_failures_and_repeated_ids_are_never_fed(make_reader, maker):
    for i in range(60):
        wrong = [[9.0, 9.0, 9.0]]
        maker.predict("a", f"t{i}", wrong, labels={"purpose": "test"})
        maker.truth("a", f"t{i}", [0])
        maker.predict("a", f"e{i}", wrong, error="boom")
        maker.predict("a", "same", wrong if i else [[0.5, 0.5, 0.5]])
    answer_all(maker, 49, "r")
    reader = make_reader()
    reader.consumer().consume(maker.messages)
    (window,) = [verdict for verdict in verdicts(reader)[0] if verdict.detector == "data_drift"]
    assert (window.first.id, window.last.id, window.features) == ("same", "r-48", [])


def test_a_concept_alarm_spans_the_rows_since_the_statistic_was_zero(make_reader, maker):
    answer_all(maker, 120, "calm")
    for i in range(200):
        record = maker.prediction("a", f"moved-{i}")
        maker.append(record)
        maker.truth("a", f"moved-{i}", [1 - record.resp.outputs[0]])
    reader = make_reader(detector_arl0=1_000)
    reader.consumer().consume(maker.messages)
    alarms = [verdict for verdict in verdicts(reader)[0] if verdict.detector == "concept_drift" and verdict.status == 2]
    first = alarms[0]
    assert first.statistic > first.threshold
    assert first.last.id.startswith("moved-")
    assert first.rows == len(reader.archive.read("prediction").filter(_between(first)))
    assert first.kind == "concept_drift"
    with Queries(reader.settings) as queries:
        (incident,) = [incident for incident in queries.incidents() if incident.detector == "concept_drift"]
    assert (incident.opened, len(alarms) > 1) == (first, True)


def _between(verdict):
    offset = pc.field("offset")
    return (offset >= verdict.first.position.offset) & (offset <= verdict.last.position.offset)


def test_whole_numbers_beyond_every_float_stop_nothing(make_reader, maker):
    for i in range(60):
        record = maker.prediction("a", f"r{i}", [[0.1, 10**400, -(10**400)]])
        resp = msgspec.structs.replace(record.resp, outputs=[10**400])
        maker.append(msgspec.structs.replace(record, resp=resp))
        maker.truth("a", f"r{i}", [10**400])
    reader = make_reader()
    reader.consumer().consume(maker.messages)
    reader.consumer().consume(maker.messages)
    assert len(reader.table("prediction")) == len(reader.table("feedback")) == 60


def test_an_alarm_of_a_window_is_one_incident_with_its_features(make_reader, maker):
    for shift in (0.0, 3.0):
        rows = [[maker.random.random() + shift for _ in range(3)] for _ in range(50)]
        for i, row in enumerate(rows):
            maker.predict("a", f"{shift}-{i}", [row])
    reader = make_reader()
    reader.consumer().consume(maker.messages)
    with Queries(reader.settings) as queries:
        (incident,) = queries.incidents()
    assert sorted(set(incident.features) - {"prediction"}) == ["demand", "price", "region"]
    assert reader.events == [incident]
