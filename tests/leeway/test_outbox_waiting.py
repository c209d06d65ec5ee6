"""What others are told of an outbox is what it knows itself, whatever lies behind its end."""

import pytest

from leeway.outbox import Outbox
from leeway.outbox_sender import OutboxSender
from leeway.outbox_waiting import outboxes_below
from leeway.settings import Settings

KEY = "shop/server/a"


@pytest.fixture
def outbox(home, clock):
    outbox = Outbox.create(home / "outbox" / "shop" / "server", Settings(home=home), clock)
    yield outbox
    outbox.close()


@pytest.mark.parametrize("sizes", [[75] * 40, [300_000, 75, 600_000]], ids=["many", "large"])
def test_what_waits_is_what_was_not_forwarded(outbox, home, memory_stream, clock, sizes):
    def told():
        (about,) = outboxes_below(home / "outbox")
        return about["waiting_bytes"]

    for _ in range(3):  # written over again in place, so what was forwarded lies behind the end
        for size in sizes:
            assert outbox.append(KEY, lambda origin, size=size: b"x" * size)
            assert told() == outbox.waiting()[1] > 0
        sender = OutboxSender(outbox.file, clock)
        while sender.send(memory_stream):
            outbox.reclaim()
        outbox.reclaim()
        assert told() == outbox.waiting()[1] == 0


def test_what_is_no_outbox_is_passed_over(home):
    (home / "outbox" / "shop").mkdir(parents=True)
    (home / "outbox" / "shop" / "a.outbox").write_bytes(b"none")
    assert outboxes_below(home / "outbox")[0]["outboxes"] == 0
