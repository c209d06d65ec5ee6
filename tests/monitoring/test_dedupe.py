"""Which records were seen before."""

import pytest

from leeway.record import Origin
from monitoring.dedupe import Dedupe

KEY = "p/f/d"


def restarted(dedupe: Dedupe, stored: dict[str, bytes]) -> Dedupe:
    puts, deletes = dedupe.changes()
    stored.update(puts)
    for key in deletes:
        del stored[key]
    fresh = Dedupe()
    fresh.restore(stored)
    return fresh


def test_a_number_that_comes_again_after_a_gap_closed_is_not_new():
    dedupe, stored = Dedupe(), {}
    taken = [1, 2, 5, 4, 3, 6]
    for seq in taken:
        assert dedupe.of(KEY).is_new(Origin("o", seq))
        dedupe = restarted(dedupe, stored)
    assert not any(dedupe.of(KEY).is_new(Origin("o", seq)) for seq in taken)
    assert dedupe.of(KEY).is_new(Origin("o", 7))


def test_outboxes_and_keys_do_not_share_numbers():
    dedupe = Dedupe()
    assert all(dedupe.of(key).is_new(Origin(outbox, 1)) for outbox in "ab" for key in ("p/f/x", "p/f/y"))


def test_records_without_an_outbox_are_always_new():
    dedupe = Dedupe()
    assert dedupe.of(KEY).is_new(Origin("", 0)) and dedupe.of(KEY).is_new(Origin("", 0))
    assert dedupe.of(KEY).newly_dropped(Origin("", 0, {"full": 1})) == {"full": 1}
    assert dedupe.of(KEY).is_new(Origin("", 0)), "also where one told of drops in the same range"


def test_a_gap_at_the_end_is_lost_and_what_comes_later_was_seen():
    dedupe, stored = Dedupe(), {}
    for seq in (1, 2, 5):
        dedupe.of(KEY).is_new(Origin("o", seq))
    dedupe = restarted(dedupe, stored)
    assert dedupe.of(KEY).end(Origin("o", 7), clock=100) == 4  # 3, 4, 6, 7
    dedupe = restarted(dedupe, stored)
    assert not dedupe.of(KEY).is_new(Origin("o", 3))
    assert dedupe.of(KEY).end(Origin("o", 7), clock=100) is None


def test_an_end_without_a_gap_loses_nothing():
    dedupe = Dedupe()
    dedupe.of(KEY).is_new(Origin("o", 1))
    assert dedupe.of(KEY).end(Origin("o", 1), clock=0) == 0
    assert dedupe.of(KEY).end(Origin("never-sent", 0), clock=0) == 0


def test_a_tombstone_goes_after_a_year_and_from_the_state_too():
    dedupe, stored = Dedupe(), {}
    dedupe.of(KEY).end(Origin("old", 3), clock=0)
    dedupe.of(KEY).end(Origin("new", 3), clock=300 * 86_400)
    dedupe = restarted(dedupe, stored)
    dedupe.expire(370 * 86_400)
    restarted(dedupe, stored)
    assert [key for key in stored if "old" in key] == []
    assert len(stored) == 1


@pytest.mark.parametrize("restart", [False, True])
def test_drop_counters_that_every_record_repeats_are_counted_once(restart):
    dedupe, stored = Dedupe(), {}
    rises = []
    for dropped in ({"full": 2}, {"full": 2}, {"full": 5, "large": 1}):
        rises.append(dedupe.of(KEY).newly_dropped(Origin("o", 1, dropped)))
        dedupe = restarted(dedupe, stored) if restart else dedupe
    assert rises == [{"full": 2}, {}, {"full": 3, "large": 1}]


def test_a_gap_that_never_closes_is_given_up_when_too_much_waits_above_it():
    dedupe = Dedupe()
    for seq in range(4, 4 + 100_001):
        assert dedupe.of(KEY).is_new(Origin("o", seq))
    assert dedupe.take_lost() == {KEY: 3}
    assert dedupe.take_lost() == {}
    assert not dedupe.of(KEY).is_new(Origin("o", 2))
    assert dedupe.of(KEY).is_new(Origin("o", 200_000))


def test_an_end_that_knows_less_than_the_stream_counts_the_gaps_below_what_was_seen():
    """A file that power loss cut off: 3 and 4 were in what is gone, 5 had been taken before."""
    marks = Dedupe().of(KEY)
    assert all(marks.is_new(Origin("o", seq)) for seq in (1, 2, 5))
    assert marks.end(Origin("o", 2), 0) == 2
    assert not marks.is_new(Origin("o", 3))
