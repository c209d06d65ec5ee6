"""Monitoring that raises for one endpoint stops the watch of that endpoint, and nothing else."""

import msgspec
import pytest

from leeway.errors import LeewayError, StoreError
from leeway.local.stores import stores
from leeway.record import DECISION
from monitoring.concept import ConceptWatch
from monitoring.error_watch import ErrorWatch
from monitoring.incidents import OPEN
from monitoring.metrics import metrics
from monitoring.performance.performance_watch import PerformanceWatch
from monitoring.queries import Queries
from monitoring.replay import Replay
from monitoring.slice_watch import SliceWatch
from monitoring.status import status
from monitoring.watch import TROUBLED, WATCHING
from monitoring.windows import WindowWatch

A, B = (f"shop/server/{name}/default/{name}/v1" for name in "ab")
KINDS = ("prediction", "feedback", "decision")


def break_for_a(patch, owner, method, after=0):
    """Make a method raise for endpoint A, from the n-th call for it on."""
    whole, calls = getattr(owner, method), []

    def broken(watch, *arguments, **named):
        if watch._endpoint == A:
            calls.append(method)
            if len(calls) > after:
                raise ValueError("no such bin")
        return whole(watch, *arguments, **named)

    patch.setattr(owner, method, broken)


def found_in(reader, endpoint):
    with Queries(reader.settings) as queries:
        return {
            "verdicts": [msgspec.json.encode(verdict) for verdict in queries.verdicts(endpoint)],
            "incidents": queries.incidents(endpoint),
            "points": [(name, points) for name, points in reader.points() if name[1] == endpoint],
        }


def tables(reader):
    return {kind: reader.table(kind) for kind in KINDS}


def watched(reader, endpoint=A):
    with Queries(reader.settings) as queries:
        return queries.watched()[endpoint]


def counts(reader):
    with Queries(reader.settings) as queries:
        return queries.counts()


_HEALTHY = {}


@pytest.fixture
def healthy(make_reader, eventful):
    """What a reader finds to whom nothing happens; made once."""
    if not _HEALTHY:
        reader = make_reader(slices="region")
        reader.consumer().consume(eventful)
        _HEALTHY.update({A: found_in(reader, A), B: found_in(reader, B)}, tables=tables(reader), counts=counts(reader))
    return _HEALTHY


@pytest.mark.parametrize(
    ("owner", "method"),
    [(PerformanceWatch, "estimate"), (ErrorWatch, "take"), (ErrorWatch, "snapshot"), (SliceWatch, "take"),
     (WindowWatch, "changes")],
)  # fmt: skip
def test_it_stops_one_endpoint_and_nothing_else(make_reader, eventful, healthy, monkeypatch, owner, method):
    break_for_a(monkeypatch, owner, method)
    reader = make_reader(slices="region")
    reader.consumer().consume(eventful)
    about = watched(reader)
    assert about.state == TROUBLED
    assert about.trouble.reason.startswith("ValueError: no such bin (test_troubles.py")
    assert watched(reader, B).state == WATCHING
    assert found_in(reader, B) == healthy[B]
    assert tables(reader) == healthy["tables"]
    assert counts(reader) == healthy["counts"]


@pytest.mark.parametrize("range_rows", [7, 500])
def test_what_it_had_seen_until_then_does_not_depend_on_ranges(make_reader, eventful, healthy, monkeypatch, range_rows):
    whole = WindowWatch._score

    def score(watch, answers, last, points):
        if watch._endpoint == A and answers.position(last).offset >= 500:
            raise ValueError("no such bin")
        return whole(watch, answers, last, points)

    monkeypatch.setattr(WindowWatch, "_score", score)
    reader = make_reader(slices="region", range_rows=range_rows)
    reader.consumer().consume(eventful)
    verdicts = found_in(reader, A)["verdicts"]
    trouble = watched(reader).trouble
    assert trouble.since.offset >= 500
    whole = [msgspec.json.decode(each) for each in healthy[A]["verdicts"]]
    before = [each for each in whole if each["at"][1] < trouble.since.offset]
    assert 0 < len(before) < len(whole)
    assert [msgspec.json.decode(each) for each in verdicts] == before
    assert found_in(reader, B) == healthy[B]


def test_it_stays_stopped_while_its_consumer_lives_and_goes_on_after_a_restart(make_reader, eventful, monkeypatch):
    reader = make_reader(slices="region", range_rows=50)
    with monkeypatch.context() as patch:
        break_for_a(patch, ErrorWatch, "take", after=60)
        consumer = reader.consumer()
        consumer.consume(eventful[:400])
        stopped = watched(reader)
    consumer.consume(eventful[400:500])
    assert watched(reader) == stopped and stopped.state == TROUBLED
    before = found_in(reader, A)["verdicts"]
    reader.consumer().consume(eventful[500:])
    assert watched(reader).state == WATCHING and watched(reader).trouble is None
    after = [msgspec.json.decode(each) for each in found_in(reader, A)["verdicts"]]
    assert len(after) > len(before)
    assert all(each["at"][1] >= 500 for each in after[len(before) :])


def test_two_restarts_after_the_same_mend_give_the_same(make_reader, eventful, monkeypatch):
    found = []
    for range_rows in (50, 50):
        reader = make_reader(slices="region", range_rows=range_rows)
        with monkeypatch.context() as patch:
            break_for_a(patch, WindowWatch, "see", after=100)
            reader.consumer().consume(eventful[:400])
        reader.consumer().consume(eventful[400:])
        found.append(found_in(reader, A))
    assert found[0] == found[1]


def test_what_was_raised_once_stops_nothing(make_reader, eventful, healthy, monkeypatch):
    whole, raised = WindowWatch.see, []

    def once(watch, *arguments):
        if not raised:
            raised.append(watch)
            raise RuntimeError("once")
        return whole(watch, *arguments)

    monkeypatch.setattr(WindowWatch, "see", once)
    reader = make_reader(slices="region")
    reader.consumer().consume(eventful)
    assert raised and watched(reader).state == WATCHING
    assert found_in(reader, A) == healthy[A]


def test_a_store_that_is_away_is_tried_again_and_stops_no_watch(make_reader, eventful, healthy, monkeypatch):
    whole, away = WindowWatch.see, [True]

    def see(watch, *arguments):
        if away[0]:
            raise StoreError("away")
        return whole(watch, *arguments)

    monkeypatch.setattr(WindowWatch, "see", see)
    reader = make_reader(slices="region")
    consumer = reader.consumer()
    with pytest.raises(StoreError, match="away"):
        consumer.consume(eventful)
    away[0] = False
    consumer.close()
    assert watched(reader).state == WATCHING
    assert found_in(reader, A) == healthy[A]


def windows_of(reader, begin, end):
    """The first rows of the windows of A that were completed in a stretch of the stream."""
    with Queries(reader.settings) as queries:
        found = [each for each in queries.verdicts(A, "data_drift") if begin <= each.at.offset < end]
    return [each.first.position.offset for each in found]


def test_a_state_that_cannot_be_restored_stops_that_endpoint_until_it_can(make_reader, eventful, healthy, monkeypatch):
    """Then it goes on from what it had seen: its open window began before."""
    reader = make_reader(slices="region", range_rows=100)
    reader.consumer().consume(eventful[:400])
    before = watched(reader)
    with monkeypatch.context() as patch:
        break_for_a(patch, ConceptWatch, "restore")
        reader.consumer().consume(eventful[400:500])
        assert watched(reader).concept == before.concept
        assert watched(reader).trouble.since.offset == 400
        assert watched(reader).state == TROUBLED
    reader.consumer().consume(eventful[500:])
    assert watched(reader).state == WATCHING
    assert windows_of(reader, 400, 500) == [] and 0 < windows_of(reader, 500, 10_000)[0] < 400
    assert found_in(reader, B) == healthy[B]


def test_a_consumer_that_loads_its_state_again_keeps_what_was_stopped_and_what_it_had_seen(
    make_reader, eventful, monkeypatch
):
    reader = make_reader(slices="region", range_rows=50)
    with monkeypatch.context() as patch:
        break_for_a(patch, ErrorWatch, "take", after=60)
        consumer = reader.consumer()
        consumer.consume(eventful[:400])
    stopped = watched(reader)
    consumer._is_loaded = False  # as after a store that refused in the midst of a range
    consumer.consume(eventful[400:500])
    assert watched(reader) == stopped and stopped.concept is not None
    reader.consumer().consume(eventful[500:])
    assert watched(reader).state == WATCHING
    assert windows_of(reader, stopped.trouble.since.offset, 500) == []
    assert 0 < windows_of(reader, 500, 10_000)[0] < stopped.trouble.since.offset


def test_a_profile_that_cannot_be_watched_against_stops_its_endpoint(make_reader, eventful, healthy, monkeypatch):
    whole = WindowWatch.__init__

    def begin(watch, endpoint, *more):
        whole(watch, endpoint, *more)
        if endpoint == A:
            raise ValueError("no such bin")

    monkeypatch.setattr(WindowWatch, "__init__", begin)
    reader = make_reader(slices="region")
    reader.consumer().consume(eventful)
    assert watched(reader).state == TROUBLED and found_in(reader, A)["verdicts"] == []
    assert found_in(reader, B) == healthy[B]
    assert tables(reader) == healthy["tables"]


def test_every_endpoint_can_be_in_trouble_at_once(make_reader, eventful, healthy, monkeypatch):
    monkeypatch.setattr(WindowWatch, "see", lambda watch, *arguments: 1 / 0)
    reader = make_reader(slices="region")
    reader.consumer().consume(eventful)
    assert {watched(reader, each).state for each in (A, B)} == {TROUBLED}
    assert tables(reader) == healthy["tables"]


def test_who_looks_is_told(make_reader, eventful, monkeypatch):
    break_for_a(monkeypatch, WindowWatch, "see")
    reader = make_reader(slices="region")
    reader.consumer().consume(eventful)
    trouble = {"reason": watched(reader).trouble.reason, "since": str(watched(reader).trouble.since)}
    with Queries(reader.settings) as queries:
        assert status(queries)["endpoints"][A]["trouble"] == trouble
        assert status(queries)["endpoints"][B]["trouble"] is None
        told = metrics(queries, reader.settings, 0).decode()
    assert f'leeway_endpoint_troubled{{endpoint="{A}"}} 1.0' in told
    assert f'leeway_endpoint_troubled{{endpoint="{B}"}} 0.0' in told
    (shown,) = [each for each in stores(reader.settings)["endpoints"] if each["name"] == A]
    assert (shown["state"], shown["trouble"]) == (TROUBLED, trouble)


def test_a_decision_about_an_endpoint_in_trouble_waits_for_a_later_one(make_reader, maker, monkeypatch):
    reader = make_reader(slices="region")
    for i in range(400):
        maker.predict("a", f"r{i}", [[0.9, maker.random.random() + 3 * (i >= 200), 0.5]])
    reader.consumer().consume(maker.messages)
    with Queries(reader.settings) as queries:
        (opened,) = [each for each in queries.incidents(A) if each.state == OPEN]
    sent = len(maker.messages)
    maker.predict("a", "one more")
    maker.append(maker.record(DECISION, "a", decision={"do": "confirm", "incident": opened.id}))
    with monkeypatch.context() as patch:
        break_for_a(patch, WindowWatch, "see")
        reader.consumer().consume(maker.messages[sent:])
    with Queries(reader.settings) as queries:
        assert [each.state for each in queries.incidents(A) if each.id == opened.id] == [OPEN]
    assert [row["status"] for row in reader.table("decision")] == ["unwatched"]


def test_a_replay_says_what_was_raised(make_reader, eventful, monkeypatch):
    reader = make_reader(slices="region")
    reader.consumer().consume(eventful)
    break_for_a(monkeypatch, WindowWatch, "see")
    with pytest.raises(LeewayError, match=f"endpoint {A}: ValueError: no such bin"):
        Replay(reader.settings, "a").run(reader.settings)
