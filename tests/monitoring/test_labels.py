"""Predictions wait for truth, and truth for predictions."""

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leeway.backends.sqlite_state import SqliteState
from monitoring.label_values import LIVE, TEST, Place, Who
from monitoring.labels import Labels

KEY = "p/f/d"
LIVE_ONE, SHADOW, TESTER = Who(KEY, "e1", LIVE), Who(KEY, "e2", "shadow:e2"), Who(KEY, "e1", TEST)


class Book:
    """A label book that can be restarted between any two calls."""

    def __init__(self, folder: Path, age_s: int = 1000, count: int = 1000, restart: bool = False):
        self.limits, self.restart = (age_s, count), restart
        self.state = SqliteState(folder / "state.db")
        self.labels = Labels(*self.limits, self.state)
        self.clock = self.offset = 0
        self.pairs: list[tuple[str, str, int, Any, Any]] = []
        self.orphans: list[Any] = []

    def predict(self, who: Who, id: str, outputs: list[Any]) -> int | None:
        found = self.labels.predict(self.labels.who(who), id, outputs, Place(self.offset, 0, self.clock, self.clock))
        self._next()
        return found

    def truth(self, id: str, *truths: tuple[int, Any]) -> list[str]:
        found = self.labels.truth(KEY, id, truths, Place(self.offset, 0, self.clock, self.clock))
        self._next()
        return found

    def advance(self, seconds: int) -> None:
        self.clock += seconds
        self.labels.expire(self.clock)
        self.orphans += self.labels.take_orphans()

    def joined(self) -> list[tuple[str, str, int, Any, Any]]:
        """(endpoint, id, row, output, truth) of the pairs so far."""
        return self.pairs

    def _next(self) -> None:
        self.offset += 1
        for endpoint, found in self.labels.take_completed().items():
            self.pairs += [(endpoint, item.entry.id, item.row, item.output, item.truth) for item in found]
        self.orphans += self.labels.take_orphans()
        if self.restart:
            self.commit()
            self.labels = Labels(*self.limits, self.state)
            self.labels.restore(self.state.scan("labels/"))

    def commit(self) -> None:
        self.state.commit(*self.labels.changes())


@pytest.fixture
def make_book(tmp_path):
    """A function that opens a Book in a folder of its own."""
    books: list[Book] = []

    def make(**limits: Any) -> Book:
        books.append(Book(tmp_path / str(len(books)), **limits))
        return books[-1]

    yield make
    for book in books:
        book.state.close()


@pytest.fixture(params=[False, True], ids=["running", "restarted"])
def book(request, make_book):
    return make_book(restart=request.param)


def test_the_first_truth_wins_and_later_ones_are_told_apart(book):
    book.predict(LIVE_ONE, "a", [1])
    outcomes = [book.truth("a", (0, truth))[0] for truth in (0, 0, 1, 0)]
    assert outcomes == ["joined", "duplicate", "corrected", "duplicate"]
    assert book.joined() == [("e1", "a", 0, 1, 0)]


def test_truth_that_comes_first_waits_and_is_compared_too(book):
    assert book.truth("a", (0, "up")) == ["pending"]
    assert book.truth("a", (0, "up"), (1, "down")) == ["duplicate", "pending"]
    assert book.truth("a", (1, "up")) == ["corrected"]
    assert book.predict(LIVE_ONE, "a", ["up", "up"]) == 2
    assert book.joined() == [("e1", "a", 0, "up", "up"), ("e1", "a", 1, "up", "down")]
    assert book.truth("a", (1, "down")) == ["duplicate"]


def test_a_second_prediction_with_a_seen_id_is_never_labelled(book):
    assert book.predict(LIVE_ONE, "a", [1]) == 0
    assert book.predict(LIVE_ONE, "a", [0]) is None
    assert book.predict(Who(KEY, "other arm", LIVE), "a", [0]) is None
    book.truth("a", (0, 1))
    assert book.predict(LIVE_ONE, "a", [0]) is None
    assert book.joined() == [("e1", "a", 0, 1, 1)]


def test_one_truth_reaches_the_live_answer_and_each_shadow_early_or_late(book):
    book.predict(SHADOW, "a", [0])
    assert book.truth("a", (0, 1)) == ["joined"]
    assert book.predict(LIVE_ONE, "a", [1]) == 0
    assert book.truth("a", (0, 1)) == ["duplicate"]
    assert book.joined() == [("e2", "a", 0, 0, 1), ("e1", "a", 0, 1, 1)]


def test_a_test_with_a_live_id_takes_nothing_from_it(book):
    book.predict(TESTER, "a", [0])
    assert book.predict(LIVE_ONE, "a", [1]) == 0
    book.truth("a", (0, 1))
    assert book.joined() == [("e1", "a", 0, 1, 1)]


def test_rows_of_one_request_complete_one_by_one(book):
    book.predict(LIVE_ONE, "a", [10, 11, 12])
    assert book.truth("a", (2, 0), (0, 1)) == ["joined", "joined"]
    assert book.truth("a", (1, 5), (2, 0)) == ["joined", "duplicate"]
    assert [(row, output, truth) for _, _, row, output, truth in book.joined()] == [(2, 12, 0), (0, 10, 1), (1, 11, 5)]


def test_truth_for_a_row_that_no_prediction_has_becomes_an_orphan(book):
    book.predict(LIVE_ONE, "a", [1])
    assert book.truth("a", (4, 0)) == ["pending"]
    book.advance(2000)
    assert [(orphan.id, orphan.row, orphan.truth) for orphan in book.orphans] == [("a", 4, 0)]


def test_what_waits_too_long_is_forgotten_to_the_second(book):
    book.predict(LIVE_ONE, "a", [1])
    book.predict(LIVE_ONE, "c", [1])
    book.truth("b", (0, 1))
    book.advance(1000)
    assert book.truth("a", (0, 1)) == ["joined"]
    assert book.orphans == []
    book.advance(1)
    assert [orphan.id for orphan in book.orphans] == ["b"]
    assert book.truth("c", (0, 1)) == ["pending"]
    assert book.truth("a", (0, 0)) == ["corrected"]  # its truth is younger, and still known
    assert book.predict(LIVE_ONE, "b", [1]) == 0


def test_the_count_bounds_what_is_remembered(make_book):
    book = make_book(count=2)
    for id in "abc":
        book.predict(LIVE_ONE, id, [1])
    assert book.truth("a", (0, 1)) == ["pending"]  # a was forgotten, and waiting truth takes the place of b
    assert book.truth("b", (0, 1)) == ["pending"]
    assert len(book.labels) == 2


def test_the_state_holds_nothing_of_what_is_forgotten(make_book):
    book = make_book(age_s=10)
    for i in range(1_000):
        book.advance(1)
        book.predict(LIVE_ONE, f"id-{i}", [1])
        book.truth(f"id-{i - 3}", (0, 1))
        book.commit()
    assert len(book.state.scan("label/")) <= 2
    book.advance(1000)
    book.commit()
    assert sorted(book.state.scan("label")) == ["labels/first", "labels/next", "labels/who"]
    book.predict(LIVE_ONE, "later", [1])
    assert book.truth("later", (0, 1)) == ["joined"]


def test_truth_finds_predictions_that_memory_let_go_of(make_book):
    """40,000 of them, and truth in any order; half of it after a restart."""
    book = make_book(count=100_000)
    for i in range(40_000):
        book.predict(LIVE_ONE, f"id-{i}", [i])
        if i % 5_000 == 4_999:
            book.commit()
    drawn = random.Random(3).sample(range(40_000), 400)
    for i in drawn[:200]:
        assert book.truth(f"id-{i}", (0, -i)) == ["joined"]
    book.commit()
    book.labels = Labels(*book.limits, book.state)
    book.labels.restore(book.state.scan("labels/"))
    for i in drawn[200:]:
        assert book.truth(f"id-{i}", (0, -i)) == ["joined"]
    assert [book.truth(f"id-{i}", (0, -i)) for i in drawn[190:210]] == [["duplicate"]] * 20
    assert book.predict(LIVE_ONE, "id-0", [1]) is None
    assert [(output, truth) for *_, output, truth in book.joined()] == [(i, -i) for i in drawn]


def test_without_a_state_everything_is_remembered_all_the_same():
    labels = Labels(1_000, 100_000)
    who = labels.who(LIVE_ONE)
    for i in range(40_000):
        labels.predict(who, f"id-{i}", [i], Place(i, 0, 0, 0))
        if i % 5_000 == 4_999:
            labels.changes()
    assert labels.truth(KEY, "id-7", [(0, 1)], Place(40_000, 0, 0, 0)) == ["joined"]


def test_ids_with_one_hash_are_told_apart(make_book, monkeypatch):
    monkeypatch.setattr(Labels, "_hash", lambda self, who, id: 77)
    book = make_book()
    for id in "abcdefghijklmnopqrstuvwxyz":
        book.predict(LIVE_ONE, id, [id])
    assert book.truth("m", (0, 1)) == ["joined"]
    assert book.joined() == [("e1", "m", 0, "m", 1)]


def test_an_output_beyond_64_bits_survives_a_restart(make_book):
    book = make_book(restart=True)
    book.predict(LIVE_ONE, "a", [2**80])
    book.truth("a", (0, 2**80))
    assert book.truth("a", (0, 2**80)) == ["duplicate"]


_ids, _values = st.sampled_from("abc"), st.sampled_from([0, 1, "x", None, 1.5])
_outputs = st.lists(_values, min_size=1, max_size=3)
_steps = st.one_of(
    st.tuples(st.just("predict"), st.sampled_from([LIVE_ONE, SHADOW, TESTER]), _ids, _outputs),
    st.tuples(st.just("truth"), _ids, st.lists(st.tuples(st.integers(0, 3), _values), min_size=1, max_size=3)),
    st.tuples(st.just("advance"), st.integers(1, 4)),
)


@given(st.lists(_steps, max_size=25))
@settings(max_examples=50, deadline=None)
def test_restarts_show_in_nothing(tmp_path_factory, steps):
    """Whatever comes, a book that is restarted after each step says the same as one that runs on."""
    folder = tmp_path_factory.mktemp("books")
    books = [Book(folder / str(restart), age_s=6, count=6, restart=restart) for restart in (False, True)]
    said: list[list[Any]] = [[], []]
    for name, *arguments in steps:
        for book, heard in zip(books, said):
            if name == "truth":
                heard.append(book.truth(arguments[0], *arguments[1]))
            else:
                heard.append(getattr(book, name)(*arguments))
            heard.append(book.labels.take_orphans())
    assert said[0] == said[1]
    assert books[0].joined() == books[1].joined()
    for book in books:
        book.state.close()
