"""What workers that were killed left in their outboxes is sent on when their function is stopped."""

import pytest

from leeway.backends import connect
from leeway.clock import SystemClock
from leeway.forwarder import outboxes
from leeway.local import platform
from leeway.local.drain import drain
from leeway.local.home import Home
from leeway.outbox import Outbox

from .conftest import document

STREAM, KEY = "users/admin/drained", "tests/quiet/a"
QUIET = "def handler(context, event):\n    return 'quiet'\n"
ENV = {"INFERENCE_STREAM": STREAM}


@pytest.fixture
def left(laptop):
    """Leave an outbox as a worker that was killed does; its folder."""

    def leave():
        folder = laptop.home / "outbox" / "tests" / "quiet"
        outbox = Outbox.create(folder, laptop.settings, SystemClock())
        assert outbox.append(KEY, lambda origin: b"%d" % origin.seq)
        outbox.close()
        return folder

    return leave


def sent(laptop):
    stream = connect.stream(STREAM, laptop.settings)
    found = [message.value for message in stream.read(0, 0, 100)]
    stream.close()
    return found


@pytest.mark.slow
def test_down_and_delete_send_on_what_was_left(laptop, left):
    laptop.deploy("tests-quiet", QUIET, env=ENV)
    folder = left()
    heard = []
    platform.down(laptop.settings, heard.append)
    assert (heard, outboxes(folder)) == ([], [])
    first, end = sent(laptop)
    assert first == b"1" and b"outbox_end" in end
    assert laptop.status("tests-quiet")["state"] == "ready"
    left()
    assert laptop.api("DELETE", "functions", {"metadata": {"name": "tests-quiet"}}).status == 204
    assert outboxes(folder) == []
    assert len(sent(laptop)) == 4


def test_a_stream_that_is_away_is_named_and_the_outbox_stays(laptop, left):
    folder = left()
    home, away = Home.at(laptop.home), document("tests-quiet", QUIET, env={"INFERENCE_STREAM": "nowhere://x"})
    assert "nowhere" in drain(home, away, {})
    assert len(outboxes(folder)) == 1
    assert drain(home, document("tests-quiet", QUIET), {}) == ""


def test_an_outbox_of_a_living_process_is_left_alone(laptop, left):
    folder = left()
    living = Outbox.create(folder, laptop.settings, SystemClock())
    assert "somebody has them" in drain(Home.at(laptop.home), document("tests-quiet", QUIET, env=ENV), {})
    assert outboxes(folder) == [living.file.path]
    living.close()
