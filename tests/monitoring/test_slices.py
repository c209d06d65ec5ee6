"""How rows are parted, and that all slices together keep the price."""

from types import SimpleNamespace

import msgspec
import numpy as np
import pandas as pd
import pytest

from leeway.errors import SettingError
from leeway.settings import Settings
from monitoring.label_values import Completed, Entry, Place
from monitoring.reference import profile_of
from monitoring.slice_watch import KeptSlice, SliceWatch
from monitoring.slices import slicings
from monitoring.verdicts import DETECTED


@pytest.fixture(scope="module")
def profile():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": np.arange(400.0), "word": rng.choice(["a", "b"], 400, p=[0.7, 0.3])})
    return profile_of(frame, features=["x", "word"], label=None, predict=lambda f: (f["x"] > 1).astype(int).to_numpy())


def parted(text, profile, **columns):
    (found,) = slicings(text, profile)
    codes = found.of(columns, len(next(iter(columns.values()))))
    return [None if code < 0 else found.names[code] for code in codes.tolist()]


def test_a_comparison_parts_in_two(profile):
    x = np.array([0.0, 150.0, np.nan])
    assert parted("x > 100", profile, x=x) == ["not x > 100", "x > 100", None]
    assert parted("word=a", profile, word=["a", "z", None]) == ["word=a", "not word=a", None]
    assert parted("x>1", profile, word=["a"]) == [None]


def test_categories_part_by_value_and_numbers_at_the_quartiles(profile):
    assert parted("word", profile, word=["b", "new", "a"]) == ["word=b", "word=other", "word=a"]
    names = parted("x", profile, x=np.array([-5.0, 150.0, 250.0, 1e9]))
    assert names == ["x<=99.75", "99.75<x<=199.5", "199.5<x<=299.25", "x>299.25"]


def test_a_column_of_another_deployment_is_left_out_and_nonsense_refused(profile):
    assert slicings("price; ; q>3", profile) == []
    with pytest.raises(SettingError, match="word<b"):
        slicings("x;word<b", profile)


def watched(profile, seed, rates, settings, restart_every=0):
    """The alarms of all slices on rows with some rates of error, and the watch, kept and restored every so many."""
    rng, rows = np.random.default_rng(seed), len(rates)
    watch = SliceWatch("e", 0, profile, settings)
    columns = {"x": rng.random(rows) * 400, "word": rng.choice(["a", "b"], rows).tolist()}
    places = [Place(row, 0, 0, 0) for row in range(rows)]
    answers = SimpleNamespace(
        fed=np.arange(rows), owner=np.arange(rows), places=places, fed_columns=lambda start, stop: columns
    )
    watch.see(answers)
    stored, _ = watch.changes()
    verdicts = []
    for row, error in enumerate((rng.random(rows) < rates).tolist()):
        entry = Entry(0, "", 0, row, 0, 1, [None])
        watch.take(Completed(entry, 0, None, None, places[row]), int(error), verdicts)
        if restart_every and row % restart_every == 0:
            kept = msgspec.convert(msgspec.to_builtins(watch.snapshot()), dict[str, KeptSlice])
            watch = SliceWatch("e", 0, profile, settings)
            watch.restore(kept, stored)
    return [v for v in verdicts if v.status == DETECTED], watch


def test_all_slices_together_keep_the_price(profile):
    """Of rows without drift each slice sees some 0.5 to 1.8 times the rows to a false alarm: 4.2 of 8 slices alarm."""
    settings = Settings(detector_arl0=1_000, slices="x;word;x>300", slices_rows=500)
    found = [watched(profile, seed, np.full(8_000, 0.2), settings) for seed in range(5)]
    assert {len(watch.snapshot()) for _, watch in found} == {8}
    assert 1 < np.mean([len({v.feature for v in alarms}) for alarms, _ in found]) < 5.5


def test_slices_that_move_at_once_are_named_together_below_the_price_of_each(profile):
    settings = Settings(detector_arl0=5_000, slices="x;word;x>300", slices_rows=1_000)
    alarms, watch = watched(profile, 0, np.where(np.arange(9_000) < 8_000, 0.1, 0.3), settings)
    shared = [v for v in alarms if "together" in v.details]
    assert len(shared) >= 2
    for each in shared:
        assert each.details["together"] == len([v for v in alarms if v.at == each.at]) >= 2
        assert each.threshold <= each.statistic <= each.details["threshold"]
        assert each.first.position < each.last.position <= each.at and each.last.position.offset >= 8_000
    assert {v.feature for v in alarms} == set(watch.snapshot())


def test_restarts_show_in_nothing_that_is_named_together(profile):
    settings = Settings(detector_arl0=5_000, slices="x;word;x>300", slices_rows=1_000)
    rates = np.where(np.arange(9_000) < 8_000, 0.1, 0.3)
    whole, parted = (watched(profile, 0, rates, settings, every)[0] for every in (0, 97))
    assert whole == parted and any("together" in v.details for v in whole)
