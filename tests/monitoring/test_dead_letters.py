"""What could not be used is kept, but not for ever."""

import pytest

from leeway.record import Position
from monitoring.dead_letters import PREFIX, DeadLetter, DeadLetters, read
from monitoring.erase import is_about


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
