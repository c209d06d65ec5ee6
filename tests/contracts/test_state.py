"""What every state store keeps, whatever it lies on."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from leeway.errors import Conflict, StoreError

SERVERS = [pytest.param("postgres", marks=[pytest.mark.slow, pytest.mark.engine("postgres")])]

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


def test_of_two_processes_that_race_none_overwrites_the_other(open_state, database_place, child):
    racers = [child(database_place, "count_up", 150) for _ in range(2)]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("\n")
        racer.stdin.flush()
    assert [racer.wait(60) for racer in racers] == [0, 0]
    assert open_state().get("counter") == b"300"


def test_of_a_process_that_is_killed_a_commit_is_there_whole_or_not_at_all(open_state, database_place, killed):
    state = open_state()

    def check():
        assert len(set(state.scan("part/").values())) <= 1

    killed(database_place, "state", lambda: int(state.get("part/7") or 0) > 20, check)
    state.commit({"part/0": b"0"}, expect={"part/0": state.get("part/299")})


def test_a_value_of_ten_megabytes_and_any_key_come_back(open_state):
    puts = {"big": bytes(range(256)) * 40_000, "clé/日本/\U0001f6a2": b"\0\xff", "": b"empty key", "k" * 500: b"long"}
    state = open_state()
    state.commit(puts)
    assert state.scan("") == puts
    assert {key: state.get(key) for key in puts} == puts


def test_many_keys_change_in_one_commit(open_state):
    state = open_state()
    keys = [f"key/{i:05d}" for i in range(3_000)]
    state.commit(dict.fromkeys(keys, b"1"))
    state.commit(dict.fromkeys(keys[:1_500], b"2"), keys[1_000:2_000], {key: b"1" for key in keys[::7]})
    found = state.scan("key/")
    assert list(found) == [*keys[:1_000], *keys[2_000:]]
    assert list(found.values()) == [b"2"] * 1_000 + [b"1"] * 1_000


def test_a_key_that_cannot_be_kept_is_refused_whole(open_state):
    state = open_state()
    with pytest.raises(StoreError):
        state.commit({"a": b"", "lone \ud800": b""})
    assert state.scan("") == {}


def test_a_scan_goes_page_by_page(open_state):
    state = open_state()
    state.commit({f"a/{i}": b"%d" % i for i in range(5)} | {"b": b""})
    assert list(state.scan("a/", limit=2)) == ["a/0", "a/1"]
    assert list(state.scan("a/", after="a/1", limit=2)) == ["a/2", "a/3"]
    assert list(state.scan("a/", after="a/3")) == ["a/4"]


@pytest.mark.parametrize("database_place", SERVERS, indirect=True)
def test_a_server_that_goes_away_has_everything_when_it_is_back(open_state, database_place, away):
    state = open_state()
    state.commit({"a": b"1"})
    with away(database_place.server):
        for act in (lambda: state.get("a"), lambda: state.commit({"a": b"2"}, expect={"a": b"1"})):
            with pytest.raises(StoreError, match=r"127\.0\.0\.1"):
                act()
    state.commit({"a": b"2"}, expect={"a": b"1"})
    database_place.server.kill()
    database_place.server.start()
    assert state.get("a") == b"2"
