"""An answer that waits for the stream, and does not wait in vain."""

import threading

import pytest

from leeway.clock import SystemClock
from leeway.errors import SettingError
from leeway.forwarder import Forwarder
from leeway.outbox import Outbox
from leeway.settings import Settings

KEY = "leeway/model-server/elec_v1"
PATIENCE_S = 60.0


@pytest.fixture
def outbox(home, settings, clock):
    outbox = Outbox.create(home / "outbox", settings, clock)
    yield outbox
    outbox.close()


@pytest.fixture
def forwarder(outbox, memory_stream):
    forwarder = Forwarder(outbox, lambda: memory_stream, SystemClock())
    forwarder.start()
    yield forwarder
    forwarder.close(PATIENCE_S)


def append(outbox):
    assert outbox.append(KEY, lambda origin: b"%d" % origin.seq)
    return outbox.file.end


def test_after_the_wait_the_stream_has_it(outbox, forwarder, memory_stream):
    for number in range(1, 30):
        assert forwarder.wait(append(outbox), PATIENCE_S)
        assert memory_stream.kept[-1] == (KEY, b"%d" % number)


def test_nobody_waits_for_a_stream_that_is_away(outbox, forwarder, memory_stream):
    memory_stream.is_away = True
    assert not forwarder.wait(append(outbox), PATIENCE_S)
    assert not forwarder.wait(append(outbox), PATIENCE_S)
    memory_stream.is_away = False
    assert forwarder.close(PATIENCE_S)
    assert [value for key, value in memory_stream.kept[:2]] == [b"1", b"2"]


def test_a_stream_that_hangs_is_waited_for_once(outbox, forwarder, memory_stream):
    answers, append_really = threading.Event(), memory_stream.append

    def hang(entries):
        assert answers.wait(PATIENCE_S)
        return append_really(entries)

    memory_stream.append = hang
    assert not forwarder.wait(append(outbox), 0.05)
    assert not forwarder.wait(append(outbox), PATIENCE_S)
    answers.set()
    assert forwarder.close(PATIENCE_S)
    assert [value for key, value in memory_stream.kept[:2]] == [b"1", b"2"]


def test_an_answer_waits_for_the_outbox_or_the_stream_and_nothing_else():
    assert Settings.read({}).outbox_ack == "outbox"
    assert Settings.read({"LEEWAY_OUTBOX_ACK": "stream"}).outbox_ack == "stream"
    with pytest.raises(SettingError, match=r"LEEWAY_OUTBOX_ACK='kafka'.*expected one of outbox, stream"):
        Settings.read({"LEEWAY_OUTBOX_ACK": "kafka"})
