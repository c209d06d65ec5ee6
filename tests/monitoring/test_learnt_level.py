"""A level learns from rows without alarm, within what its reference leaves possible, and from nothing else."""

import msgspec
import numpy as np
import pytest

from leeway.settings import Settings
from monitoring.calibrate import CONSERVATIVE
from monitoring.error_level import error_level_from
from monitoring.error_watch import Kept
from monitoring.label_values import Completed, Entry, Place
from monitoring.learning_watch import LearningWatch
from monitoring.learnt_level import KeptLevel, LearntLevel
from monitoring.verdicts import DETECTED

ENTRY = Entry(0, "id", 0, 0, 0, 1, [None])


def reference(rows=1_000, rate=0.1):
    """With exactly that rate."""
    errors = np.zeros(rows, bool)
    errors[: round(rows * rate)] = True
    return error_level_from(np.random.default_rng(5).permutation(errors))


def items(start, stop):
    return [Completed(ENTRY, 0, None, None, Place(row, 0, 0, 0)) for row in range(start, stop)]


def watched(errors, level=None, **settings):
    watch = LearningWatch("e", 0, level or reference(), Settings(**settings), KeptLevel())
    verdicts = []
    watch.take_many(items(0, len(errors)), errors, verdicts)
    return watch, verdicts


def drawn(seed, *parts):
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.random(rows) < rate for rows, rate in parts]).astype(np.int8)


def test_rows_without_alarm_join_the_level_until_there_are_enough():
    watch, verdicts = watched(drawn(0, (12_000, 0.105)), detector_learn_rows=6_000)
    level = watch.learnt.level
    assert level.rows == 6_000
    assert level.level == pytest.approx(0.105, abs=0.01)
    assert (watch.learnt.learnt, watch.learnt.pending) == (b"", b"")
    assert verdicts[-1].details["rows_learnt"] == 5_000
    assert "a reference of 1,000 rows and 5,000 that raised no alarm" in verdicts[-1].details["statement"]


def test_a_certain_level_has_a_lower_threshold():
    watch, _ = watched(drawn(0, (12_000, 0.1)))
    assert watch.cusum.threshold < watched(drawn(0, (10, 0.1)))[0].cusum.threshold - 0.3


def test_a_slow_rise_is_found_and_not_learnt():
    """From .1 to .2 within 20,000 rows: five times the length of what may be learnt."""
    rates = np.linspace(0.1, 0.2, 20_000)
    found = {}
    for learn_rows in (0, 20_000):
        first = []
        for seed in range(8):
            errors = (np.random.default_rng(seed).random(len(rates)) < rates).astype(np.int8)
            watch, verdicts = watched(errors, reference(2_000), detector_learn_rows=learn_rows)
            first.append(next(v.at.offset for v in verdicts if v.status == DETECTED))
            learnt = watch.learnt.level
            assert learnt is None or learnt.level < 0.12
        found[learn_rows] = np.mean(first)
    assert found[20_000] < found[0] + 3_000


@pytest.mark.parametrize("settings", [{"detector_learn_rows": 0}, {"detector_preset": CONSERVATIVE}])
def test_nothing_is_learnt_where_it_is_not_wanted(settings):
    watch, _ = watched(drawn(1, (5_000, 0.1)), **settings)
    assert watch.learnt == KeptLevel()


def test_nothing_is_learnt_where_errors_come_in_bursts():
    regimes = np.repeat(np.random.default_rng(0).random(50) < 0.5, 100)
    bursts = error_level_from(np.random.default_rng(1).random(5_000) < np.where(regimes, 0.3, 0.1))
    watch, _ = watched(drawn(1, (2_000, 0.1)), bursts)
    assert watch.learnt == KeptLevel()


def test_rows_of_an_alarm_and_of_its_incident_are_not_learnt():
    level = LearntLevel(reference(), 20_000)
    level.take_many(np.array([1, 0, 1, 1]), np.array([0.5, 0.0, 0.5, 1.0]))
    level.forget()
    level.take_many(np.array([0, 1]), np.array([0.0, 0.5]))
    assert level.snapshot() == KeptLevel(None, bytes([1, 0, 0]), bytes([1]))
    watch, verdicts = watched(drawn(2, (1_000, 0.1), (3_000, 0.4)))
    assert any(v.status == DETECTED for v in verdicts)
    assert len(watch.learnt.learnt) + len(watch.learnt.pending) + (watch.learnt.level or reference()).rows < 2_200


def test_a_level_that_the_reference_excludes_is_not_taken_over():
    level = LearntLevel(reference(), 20_000)
    for error in [1, 0, 0, 0, 0] * 200:
        level.take(error, 0.0)
    assert not level.grown()
    assert level.snapshot() == KeptLevel()


@pytest.mark.parametrize("seed", range(3))
def test_parts_and_restarts_change_nothing(seed):
    errors = drawn(seed, (3_000, 0.1), (600, 0.3), (2_400, 0.1))
    expected: list = []
    told = LearningWatch("e", 0, reference(), Settings(), KeptLevel()).take_many(items(0, 6_000), errors, expected)
    rng, found, start, kept, learnt, parts = np.random.default_rng(seed), [], 0, None, KeptLevel(), []
    while start < len(errors):
        watch = LearningWatch("e", 0, reference(), Settings(), learnt)
        if kept is not None:
            watch.restore(kept)
        stop = start + int(rng.integers(1, 900))
        part = errors[start:stop]
        parts.append(watch.take_many(items(start, start + len(part)), part, found))
        start = stop
        raw = msgspec.msgpack.encode((watch.snapshot(), watch.learnt))
        kept, learnt = msgspec.msgpack.decode(raw, type=tuple[Kept, KeptLevel])
    assert found == expected
    for whole, in_parts in zip(told, zip(*parts), strict=True):  # statistics, and the threshold of each row
        assert np.array_equal(whole, np.concatenate(in_parts))
    assert len(set(told[1].tolist())) > 2
