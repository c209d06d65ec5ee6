import os
import subprocess
import sys
from contextlib import closing

import pytest

from leeway.backends import connect
from leeway.settings import Settings
from leeway.workers import ALIVE_S, HOST, Worker, leave, living, tell


@pytest.fixture
def state(tmp_path):
    with closing(connect.state(Settings(home=tmp_path), "shared")) as found:
        yield found


def names(state, now):
    return [each.name for each in living(state, "live", "p/f", now)]


def test_workers_live_as_long_as_they_say_so(state):
    tell(state, "live", "p/f", Worker("one", "elsewhere", 1, 1_000.0, {"d": 1}))
    tell(state, "live", "p/f", Worker("two", "elsewhere", 1, 1_010.0, {"d": 2}))
    tell(state, "live", "p/other", Worker("three", "elsewhere", 1, 1_010.0, {}))
    tell(state, "repository", "p/f", Worker("four", "elsewhere", 1, 1_010.0, {}))
    assert names(state, 1_010.0) == ["one", "two"]
    assert names(state, 1_000.0 + ALIVE_S) == ["two"]
    leave(state, "live", "p/f", "two")
    assert names(state, 1_000.0 + ALIVE_S) == []


def test_of_a_worker_on_this_machine_its_process_says_whether_it_lives(state):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    tell(state, "live", "p/f", Worker("gone", HOST, gone.pid, 1_000.0, {}))
    tell(state, "live", "p/f", Worker("here", HOST, os.getpid(), 1_000.0, {}))
    assert names(state, 1_000.0) == ["here"]
