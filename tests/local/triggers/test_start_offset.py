from datetime import UTC, datetime

import pytest

from leeway.backends import connect
from leeway.clock import ManualClock
from leeway.errors import PlatformError
from leeway.local.triggers.start_offset import start_offset
from leeway.settings import Settings

BEGAN = 1_700_000_000


@pytest.fixture
def stream(tmp_path):
    """Two messages in each even second of a hundred, twenty of which have no message."""
    clock = ManualClock(BEGAN)
    stream = connect.stream("s", Settings(home=tmp_path), clock)
    for second in range(0, 100, 2):
        if not 40 <= second < 60:
            stream.append([("k", b""), ("k", b"")])
        clock.advance(2)
    yield stream
    stream.close()


def iso(second):
    return datetime.fromtimestamp(BEGAN + second, UTC).isoformat()


@pytest.mark.parametrize(
    ("seek", "offset"),
    [
        ("earliest", 0), ("LATEST", 80), (iso(-5), 0), (iso(0), 0), (iso(1), 2), (iso(2), 2), (iso(39), 40),
        (iso(55), 40), (iso(98.5), 80), (iso(20).removesuffix("+00:00"), 20), (iso(20).replace("+00:00", "Z"), 20),
    ],
)  # fmt: skip
def test_it_begins_at_an_end_or_with_the_first_message_of_a_time(stream, seek, offset):
    assert start_offset(stream, 0, seek) == offset


def test_anything_else_is_refused(stream):
    with pytest.raises(PlatformError, match="'yesterday': give earliest"):
        start_offset(stream, 0, "yesterday")
