from itertools import count

from leeway.clock import ManualClock
from monitoring.pages.cache import AnswerCache, Kept


class Maker:
    """Makes answers, each after so many seconds of work."""

    def __init__(self, seconds):
        self.clock, self.worked, self.seconds, self.numbers = ManualClock(), 0.0, seconds, count()
        self.cache = AnswerCache(self.clock, lambda: self.worked)

    def __call__(self, tag, query="q"):
        def make():
            self.worked += self.seconds
            return Kept(200, b"%d" % next(self.numbers))

        return self.cache.get(query, lambda: tag, make).kept.body


def test_an_answer_stands_while_what_it_rests_on_does():
    ask = Maker(0.0)
    assert [ask("a"), ask("a"), ask("b"), ask("a"), ask("a", "other")] == [b"0", b"0", b"1", b"2", b"3"]


def test_a_dear_answer_stands_for_a_while_whatever_is_committed():
    ask = Maker(0.003)
    assert [ask("a"), ask("b")] == [b"0", b"0"]
    ask.clock.advance(1.19)
    assert ask("c") == b"0"
    ask.clock.advance(0.02)
    assert ask("c") == b"1"


def test_no_answer_stands_for_more_than_a_second_and_a_half():
    ask = Maker(5.0)
    ask("a")
    ask.clock.advance(1.51)
    assert ask("b") == b"1"


def test_the_least_recently_used_goes_first():
    ask = Maker(0.0)
    for query in range(64):
        ask("a", query)
    assert ask("a", 0) == b"0"
    ask("a", "one more")
    assert (ask("a", 0), ask("a", 1)) == (b"0", b"65")
