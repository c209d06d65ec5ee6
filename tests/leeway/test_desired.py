from contextlib import closing

import pytest

from leeway.backends import connect
from leeway.desired import change, desired, reset
from leeway.settings import Settings

KEY = "p/f/d"
OWN = {"main": 90, "canary": 10}


@pytest.fixture
def state(tmp_path):
    with closing(connect.state(Settings(home=tmp_path), "shared")) as found:
        yield found


def test_changes_are_counted_and_kept_with_who_when_and_why(state):
    assert desired(state, KEY) is None
    change(state, KEY, OWN, {"main": 75, "canary": 25}, "anna", "looks well")
    made = change(state, KEY, OWN, {"main": 50, "canary": 50}, "ben", "")
    found = desired(state, KEY)
    assert (found.version, found.weights, found.declared) == (2, {"main": 50, "canary": 50}, OWN)
    assert [(each.version, each.who, each.why) for each in found.history] == [(1, "anna", "looks well"), (2, "ben", "")]
    assert made == found.history[-1] and made.when.endswith("+00:00")


def test_the_history_has_an_end(state):
    for i in range(205):
        change(state, KEY, OWN, OWN, "x", str(i))
    found = desired(state, KEY)
    assert (len(found.history), found.version, found.history[0].why) == (200, 205, "5")


def test_a_reset_is_a_change_only_where_there_was_one(state):
    reset(state, KEY, "apply")
    assert desired(state, KEY) is None
    change(state, KEY, OWN, {"main": 0, "canary": 100}, "x", "")
    reset(state, KEY, "apply")
    reset(state, KEY, "apply")
    assert (desired(state, KEY).weights, desired(state, KEY).version) == (OWN, 2)
