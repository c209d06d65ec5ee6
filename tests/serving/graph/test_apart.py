"""A process beside this one, whatever this one has open, and whatever it dies of."""

import io
import os
import socket

import pyarrow.csv
import pytest

from serving.graph import apart


@pytest.fixture
def make():
    made = []

    def start(work):
        made.append(apart.Apart(work))
        return made[-1]

    yield start
    for each in made:
        each.close()


def test_what_libraries_have_open_is_there_in_the_next_fork(make):
    pyarrow.csv.read_csv(io.BytesIO(b"a\n1\n"))  # from here on Arrow has a pipe that it closes in every fork
    assert make(lambda given: given + 1).ask(1) == 2


def test_sockets_of_this_process_end_with_it(make):
    ours, theirs = socket.socketpair()
    asked = make(lambda given: given)
    theirs.close()
    assert ours.recv(1) == b"" and asked.ask(1) == 1
    ours.close()


def test_a_process_that_cannot_begin_is_told(make, monkeypatch):
    monkeypatch.setattr(apart, "_work", lambda pipe, work: os._exit(3))
    asked = make(None)
    for _ in range(2):
        with pytest.raises(apart.Died, match="ended with 3"):
            asked.ask(1)


def test_what_is_asked_after_a_death_gets_its_own_answer(make):
    asked = make(lambda given: os._exit(4) if given == "die" else given)
    for given in ("a", "die", "b", "die", "die", "c"):
        if given == "die":
            with pytest.raises(apart.Died, match="ended with 4"):
                asked.ask(given)
        else:
            assert asked.ask(given) == given


def test_what_cannot_be_passed_on_is_told(make):
    asked = make(lambda given: given if given else lambda: None)
    with pytest.raises(apart.Died, match="cannot be passed on"):
        asked.ask(0)
    assert asked.ask(1) == 1
