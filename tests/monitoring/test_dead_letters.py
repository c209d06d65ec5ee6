"""What could not be used is kept, but not for ever."""

import pytest

from leeway.record import TOO_LARGE, Position
from monitoring.dead_letters import PREFIX, DeadLetter, DeadLetters, read
from monitoring.erase import is_about
from monitoring.queries import Queries


def letter(number):
    return DeadLetter("broken", Position(0, number), 0, "", b"")


def test_the_newest_ten_thousand_are_kept_over_restarts():
    letters, stored = DeadLetters(), {}
    for number in range(10_120):
        letters.add(letter(number))
        if number % 60 == 0:
            puts, deletes = letters.changes()
            stored |= puts
            for key in deletes:
                del stored[key]
            letters = DeadLetters()
            letters.restore(stored)
    kept = [read(value).position.offset for key, value in sorted(stored.items()) if key.startswith(PREFIX)]
    assert (len(kept), kept[-1]) == (10_000, 10_080)
    assert kept == sorted(kept)


def test_what_came_and_went_within_one_range_is_never_stored():
    letters = DeadLetters()
    for number in range(12_000):
        letters.add(letter(number))
    puts, deletes = letters.changes()
    assert (len([key for key in puts if key.startswith(PREFIX)]), deletes) == (10_000, [])


@pytest.mark.parametrize("raw", [b'{"id": "caf\\u00e9 \\"1\\""}', '{"id": "caf\u00e9 \\"1\\""}'.encode()])
def test_an_id_is_found_however_its_json_was_written(raw):
    found = DeadLetter("broken", Position(0, 1), 0, "p/f/d", raw)
    assert is_about(found, "p/f/d", ['caf\u00e9 "1"'])
    assert not is_about(found, "p/f/d", ["caf"])


def test_what_its_stream_did_not_take_is_one_with_the_reason_and_not_lost(make_reader, maker):
    stream, reader = maker, make_reader()
    stream.predict("a", "r-1")
    stream.append(stream.record(TOO_LARGE, "a", id="r-2", error="a message of 3,000,000 bytes is too large"))
    stream.predict("a", "r-3")
    stream.end("a")
    reader.consumer().consume(stream.messages)
    with Queries(reader.settings) as queries:
        counts, (found,) = queries.counts(), queries.dead_letters()
    assert (found.reason, found.key) == ("a message of 3,000,000 bytes is too large", "shop/server/a")
    assert (counts["predictions"]["counted"], counts["lost"], counts["dead_lettered"]) == (2, 0, 1)
