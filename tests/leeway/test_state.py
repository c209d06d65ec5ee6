import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from leeway.errors import Conflict

KEYS = st.text("ab/\U0010ffff", max_size=4)


def test_values_are_there_after_opening_it_anew(open_state):
    state = open_state()
    state.commit({"a": b"1", "b": b""})
    state.close()
    again = open_state()
    assert (again.get("a"), again.get("b"), again.get("c")) == (b"1", b"", None)


def test_names_that_look_alike_are_states_of_their_own(open_state):
    names = ["a", "a/b", "a//b", "a%2Fb", "a.db", "../a", ".", "consumer/f/kafka://host:9/t/0", "ä b"]
    for i, name in enumerate(names):
        open_state(name).commit({"who": b"%d" % i})
    assert [open_state(name).get("who") for name in names] == [b"%d" % i for i in range(len(names))]


def test_a_name_cannot_leave_the_home(open_state, home, tmp_path):
    open_state("../../x").commit({"a": b""})
    assert [path for path in tmp_path.rglob("*.db") if home not in path.parents] == []


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(puts=st.dictionaries(KEYS, st.binary(max_size=3)), deletes=st.lists(KEYS, max_size=3), prefix=KEYS)
def test_scan_finds_what_starts_with_the_prefix_in_order(open_state, puts, deletes, prefix):
    state = open_state()
    state.commit(deletes=list(state.scan("")))
    state.commit(puts, deletes)
    left = {key: puts[key] for key in sorted(puts) if key not in deletes}
    assert list(state.scan(prefix).items()) == [item for item in left.items() if item[0].startswith(prefix)]


def test_a_conflict_changes_nothing_and_names_the_key(open_state):
    state = open_state()
    state.commit({"position": b"1", "old": b""})
    with pytest.raises(Conflict, match="'position'"):
        state.commit({"position": b"3", "new": b""}, ["old"], {"position": b"2"})
    assert state.scan("") == {"old": b"", "position": b"1"}


def test_expecting_nothing_there_conflicts_with_an_empty_value(open_state):
    state = open_state()
    state.commit({"plan": b""}, expect={"plan": None})
    with pytest.raises(Conflict):
        state.commit({"plan": b"x"}, expect={"plan": None})
    state.commit(deletes=["plan"], expect={"plan": b""})
    assert state.get("plan") is None


def test_of_two_processes_that_race_none_overwrites_the_other(open_state, child, home):
    racers = [child("count_up", home, 400) for _ in range(2)]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("\n")
        racer.stdin.flush()
    assert [racer.wait(60) for racer in racers] == [0, 0]
    assert open_state().get("counter") == b"800"


def test_a_scan_goes_page_by_page(open_state):
    state = open_state()
    state.commit({f"a/{i}": b"%d" % i for i in range(5)} | {"b": b""})
    assert list(state.scan("a/", limit=2)) == ["a/0", "a/1"]
    assert list(state.scan("a/", after="a/1", limit=2)) == ["a/2", "a/3"]
    assert list(state.scan("a/", after="a/3")) == ["a/4"]
