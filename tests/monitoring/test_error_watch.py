"""An incident of errors opens, clears by the swapped CUSUM, and improvement is told, not alarmed."""

import msgspec
import numpy as np
import pytest

from monitoring.detectors.bernoulli_cusum import BernoulliCusum
from monitoring.error_watch import KIND, ErrorWatch, Kept
from monitoring.label_values import Completed, Entry, Place
from monitoring.verdicts import CLEARS, DETECTED


def make_watch():
    detector = BernoulliCusum(0.1, 1.75, 6.0)
    return ErrorWatch("e", 0, KIND, detector, detector, {"arl0": 20_000})


def feed(watch, errors, start=0):
    verdicts = []
    for row, error in enumerate(errors, start):
        watch.take(item_of(row), int(error), verdicts)
    return verdicts


def item_of(row):
    entry = Entry(0, f"r{row}", 0, row, 0, 1, [None])
    return Completed(entry, 0, None, None, Place(row, 0, 0, 0))


@pytest.fixture
def errors():
    rng = np.random.default_rng(3)
    return np.concatenate([rng.random(1_000) < 0.1, rng.random(1_000) < 0.4, rng.random(1_500) < 0.1])


def test_an_alarm_is_cleared_when_the_level_is_back(errors):
    verdicts = feed(make_watch(), errors)
    alarms = [v for v in verdicts if v.status == DETECTED]
    (clearing,) = [v for v in verdicts if CLEARS in v.details]
    assert 1_000 < alarms[0].at.offset < 1_100
    assert 2_000 < clearing.at.offset < 2_400
    assert clearing.threshold == pytest.approx(4.2)
    assert clearing.first.position.offset == alarms[0].at.offset
    assert clearing.rows == clearing.at.offset - alarms[0].at.offset
    assert len({v.id for v in verdicts}) == len(verdicts)


def test_swapping_the_hypotheses_turns_the_steps_around():
    detector = BernoulliCusum(0.1, 1.75, 6.0)
    back = detector.swapped(3.0)
    assert (back.up, back.down) == pytest.approx((-detector.up, -detector.down), abs=1e-7)


def test_fewer_errors_are_told_and_alarm_nobody():
    verdicts = feed(make_watch(), np.zeros(1_000))
    assert [v.details.get("improved") for v in verdicts] == [True, True]
    assert not any(v.status == DETECTED for v in verdicts)


def test_what_was_kept_goes_on_alike(errors):
    expected = feed(make_watch(), errors)
    found, watch = [], make_watch()
    for start in range(0, len(errors), 333):
        found += feed(watch, errors[start : start + 333], start)
        kept = msgspec.convert(msgspec.to_builtins(watch.snapshot()), Kept)
        watch = make_watch()
        watch.restore(kept)
    assert found == expected


@pytest.mark.parametrize("seed", range(12))
def test_rows_at_once_are_rows_one_by_one(seed):
    """Whatever parts they come in; rates that jump make alarms, clearings and improvements."""
    rng = np.random.default_rng(seed)
    rates = np.repeat(rng.choice([0.0, 0.02, 0.1, 0.35], 40), rng.integers(1, 400, 40))
    errors = (rng.random(len(rates)) < rates).astype(np.int8)
    single, several = make_watch(), make_watch()
    expected, statistics = [], []
    for row, error in enumerate(errors.tolist()):
        statistics.append(single.take(item_of(row), error, expected))
    found, taken = [], []
    cuts = np.sort(rng.integers(0, len(errors), 30)).tolist()
    for start, stop in zip([0, *cuts], [*cuts, len(errors)]):
        taken += several.take_many([item_of(row) for row in range(start, stop)], errors[start:stop], found).tolist()
    assert taken == statistics
    assert [msgspec.json.encode(each) for each in found] == [msgspec.json.encode(each) for each in expected]
    assert msgspec.json.encode(several.snapshot()) == msgspec.json.encode(single.snapshot())
    assert any(CLEARS in each.details for each in found)
