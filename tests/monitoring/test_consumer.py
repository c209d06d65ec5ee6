"""Ranges, positions and what a consumer leaves behind."""

import msgspec
import pytest

from leeway.errors import Conflict, StoreError
from leeway.record import FEEDBACK, Origin, Request
from monitoring.projection import Projection
from monitoring.queries import Queries


def counts(reader):
    with Queries(reader.settings) as queries:
        return queries.counts()


def test_the_same_id_twice_and_the_same_truth_twice_add_up(make_reader, maker):
    maker.predict("a", "one")
    maker.predict("a", "one")
    maker.predict("a", "tested", labels={"purpose": "test"})
    maker.truth("a", "one", [1])
    maker.truth("a", "one", [1])
    reader = make_reader()
    reader.consumer().consume(maker.messages)
    found = counts(reader)
    assert found["predictions"] == {"counted": 1, "duplicate_id": 1, "test": 1, "rows": 1}
    assert (found["feedback"]["recorded"], found["feedback"]["joined"], found["feedback"]["duplicate"]) == (2, 1, 1)
    assert [row["status"] for row in reader.table("prediction")] == ["counted", "duplicate_id", "test"]
    assert [row["status"] for row in reader.table("feedback")] == ["joined", "duplicate"]


def test_recorded_is_archived_is_counted_and_duplicate_and_test(make_reader, eventful):
    reader = make_reader()
    reader.consumer().consume(eventful)
    found = counts(reader)
    archived = {(row["offset"], row["index"]) for row in reader.table("prediction")}
    predictions, feedback = found["predictions"], found["feedback"]
    assert len(archived) == predictions["counted"] + predictions["duplicate_id"] + predictions["test"]
    outcomes = {name: n for name, n in feedback.items() if name != "recorded"}
    assert len(reader.table("feedback")) == sum(outcomes.values())
    assert len({(row["offset"], row["index"]) for row in reader.table("feedback")}) == feedback["recorded"]


def test_a_broken_record_is_set_aside_and_the_rest_goes_through(make_reader, maker):
    maker.predict("a", "before")
    maker.raw(b'{"schema":1,"id":', "shop/server/a")
    maker.raw(b"[" + maker.messages[0].value.replace(b'"seq":1', b'"seq":9') + b', {"schema": 1}]', "shop/server/a")
    maker.append(maker.record("dance", "a"))
    maker.append(maker.record(FEEDBACK, "a", request=Request(id="before", truth=[1], rows=[0, 1])))
    maker.predict("b", "after")
    reader = make_reader()
    reader.consumer().consume(maker.messages)
    with Queries(reader.settings) as queries:
        letters = queries.dead_letters()
        assert queries.counts()["dead_lettered"] == 4
        assert queries.counts("b")["dead_lettered"] == 0
    assert [(letter.position.offset, letter.position.index) for letter in letters] == [(1, 0), (2, 1), (3, 0), (4, 0)]
    assert letters[0].raw == b'{"schema":1,"id":'
    assert "'dance' is not known" in letters[2].reason
    assert len(reader.table("prediction")) == 3


def test_a_huge_broken_message_is_kept_in_part(make_reader, maker):
    maker.raw(b"x" * 1_000_000)
    reader = make_reader()
    reader.consumer().consume(maker.messages)
    with Queries(reader.settings) as queries:
        assert [len(letter.raw) for letter in queries.dead_letters()] == [65_536]


def test_the_last_record_of_a_burst_is_committed_by_the_clock(make_reader, maker):
    maker.predict("a", "one")
    maker.predict("a", "two")
    reader = make_reader(range_seconds=1.0)
    consumer = reader.consumer()
    consumer.offer(maker.messages[0])
    reader.clock.advance(0.9)
    consumer.offer(maker.messages[1])
    consumer.tick()
    assert (consumer.position, reader.table("prediction")) == (0, [])
    reader.clock.advance(0.2)
    consumer.tick()
    assert (consumer.position, len(reader.table("prediction"))) == (2, 2)


def test_a_full_range_is_committed_at_once(make_reader, maker):
    for i in range(5):
        maker.predict("a", str(i))
    reader = make_reader(range_rows=2)
    consumer = reader.consumer()
    for message in maker.messages:
        consumer.offer(message)
    assert consumer.position == 4


def test_packed_records_fill_a_range_too(make_reader, maker):
    maker.append(*[maker.prediction("a", str(i)) for i in range(5)])
    maker.predict("a", "one")
    reader = make_reader(range_rows=5)
    consumer = reader.consumer()
    consumer.offer(maker.messages[0])
    assert consumer.position == 1
    consumer.offer(maker.messages[1])
    assert consumer.position == 1


def test_messages_that_come_again_are_skipped(make_reader, maker):
    for i in range(4):
        maker.predict("a", str(i))
    reader = make_reader()
    consumer = reader.consumer()
    consumer.consume(maker.messages[:3])
    consumer.consume(maker.messages)
    reader.consumer().consume(maker.messages)
    assert counts(reader)["predictions"]["counted"] == 4
    assert counts(reader)["repeated"] == 0


def test_a_record_that_the_stream_holds_twice_counts_once(make_reader, maker):
    maker.predict("a", "one")
    maker.raw(maker.messages[0].value, "shop/server/a")
    reader = make_reader()
    reader.consumer().consume(maker.messages)
    assert counts(reader)["predictions"]["counted"] == 1
    assert counts(reader)["repeated"] == 1


def test_an_outbox_that_ends_with_a_gap_has_lost_records(make_reader, maker):
    maker.predict("a", "one")
    maker.end("a", missing=3)
    reader = make_reader()
    reader.consumer().consume(maker.messages)
    assert counts(reader)["lost"] == 3


def test_drops_are_counted_though_every_record_repeats_them(make_reader, maker):
    for i, dropped in enumerate([{}, {"full": 2}, {"full": 2}, {"full": 3}]):
        record = maker.prediction("a", str(i))
        maker.append(msgspec.structs.replace(record, origin=Origin("outbox-a", i + 1, dropped)))
    reader = make_reader()
    reader.consumer().consume(maker.messages)
    assert counts(reader)["dropped"] == {"full": 3}


def test_truth_that_meets_nothing_is_pending_and_then_an_orphan(make_reader, maker):
    maker.truth("a", "nobody", [1])
    reader = make_reader(labels_age_s=60)
    consumer = reader.consumer()
    consumer.consume(maker.messages)
    assert (counts(reader)["feedback"]["pending"], counts(reader)["feedback"]["orphan"]) == (1, 0)
    maker.appended += 61
    maker.predict("a", "other")
    consumer.consume(maker.messages)
    assert (counts(reader)["feedback"]["pending"], counts(reader)["feedback"]["orphan"]) == (0, 1)
    with Queries(reader.settings) as queries:
        assert [msgspec.json.decode(letter.raw)["id"] for letter in queries.dead_letters()] == ["nobody"]


def test_a_consumer_that_lost_its_shard_stops_and_changes_nothing(make_reader, maker):
    for i in range(4):
        maker.predict("a", str(i))
    reader = make_reader()
    stale = reader.consumer()
    stale.offer(maker.messages[0])
    reader.consumer().consume(maker.messages[:3])
    before = (counts(reader), reader.table("prediction"))
    with pytest.raises(Conflict):
        stale.close()
    with pytest.raises(Conflict):
        stale.consume(maker.messages)
    assert (counts(reader), reader.table("prediction")) == before


def test_a_slow_consumer_does_not_overwrite_what_a_later_one_showed(make_reader, maker):
    maker.predict("a", "0")
    maker.predict("a", "1")
    reader = make_reader()
    reader.consumer().consume(maker.messages[:1])
    earlier = reader.shared.scan("monitoring/")
    reader.consumer().consume(maker.messages)
    Projection(reader.shared, "s", 0, "").show(1, {"shop/server/a": b"{}"}, {})
    assert counts(reader)["predictions"]["counted"] == 2
    assert earlier != reader.shared.scan("monitoring/")


class _Deaf(Exception):
    """The events stream is away."""


def test_an_event_that_could_not_be_emitted_is_emitted_after_a_restart(make_reader, eventful):
    reader = make_reader()
    calm = make_reader()
    calm.consumer().consume(eventful)

    def refuse(incident):
        raise _Deaf

    consumer = reader.consumer(emit_event=refuse)
    with pytest.raises(_Deaf):
        consumer.consume(eventful)
    reader.consumer().consume(eventful)
    assert {incident.id for incident in reader.events} == {incident.id for incident in calm.events}
    assert len(reader.events) > 0
    reader.events.clear()
    reader.consumer().consume(eventful)
    assert reader.events == []


@pytest.mark.parametrize(
    ("version", "advice"),
    [(b"1", "another name"), (None, "another name"), (b"2", "another name"), (b"4", "that wrote it")],
)
def test_a_state_of_another_version_is_refused(make_reader, eventful, version, advice):
    reader = make_reader()
    reader.consumer().consume(eventful[:10])
    reader.state.commit({"version": version} if version else {}, [] if version else ["version"])
    with pytest.raises(StoreError, match=f"has version {(version or b'1').decode()}, this Leeway knows 3: .*{advice}"):
        reader.consumer()


def test_what_a_newer_leeway_shows_is_neither_read_nor_overwritten(make_reader, maker):
    maker.predict("a", "r")
    reader = make_reader()
    reader.consumer().consume(maker.messages)
    reader.shared.commit({"monitoring/version": b"2"})
    with pytest.raises(StoreError, match="has version 2, this Leeway reads 1: use the Leeway that wrote it"):
        counts(reader)
    with pytest.raises(StoreError, match="has version 2"):
        reader.consumer()
