"""The price that was set is the price that is paid, and what it means is told."""

from dataclasses import replace

import numpy as np
import pytest

from leeway.settings import Settings
from monitoring.calibrate import CONSERVATIVE, Calibration
from monitoring.error_level import error_level_from

SETTINGS = Settings(detector_arl0=2_000)


def level_of(seed, rows=2_000, rate=0.15):
    return error_level_from(np.random.default_rng(seed).random(rows) < rate)


def false_alarms(settings):
    """In a stretch of arl0 rows, the mean of 300 references."""
    found = 0
    for seed in range(300):
        detector = Calibration(level_of(seed), settings).detector
        found += len(detector.update_many(np.random.default_rng(1_000 + seed).random(2_000) < 0.15))
    return found / 300


def test_the_price_holds_over_references():
    assert 0.75 < false_alarms(SETTINGS) < 1.2
    assert false_alarms(replace(SETTINGS, detector_preset=CONSERVATIVE)) < 0.5


def test_the_price_holds_where_errors_come_in_bursts():
    """Of stretches of arl0 rows that go on as the reference does some hold an alarm, and not many more than 1 - 1/e."""
    hits = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        regimes = np.repeat(rng.random(70) < 0.5, 100)
        errors = rng.random(7_000) < np.where(regimes, 0.3, 0.1)
        detector = Calibration(error_level_from(errors[:5_000]), SETTINGS).detector
        hits += bool(detector.update_many(errors[5_000:]))
    assert 0.2 < hits / 40 < 0.85


def test_the_conservative_preset_watches_the_upper_bound_of_the_level():
    default, conservative = (
        Calibration(level_of(1), replace(SETTINGS, detector_preset=preset)) for preset in ("default", CONSERVATIVE)
    )
    low, high = default.details()["p0_interval"]
    assert low < default.detector.level < conservative.detector.level < high
    assert conservative.delay(2) > default.delay(2)


def test_more_errors_are_seen_sooner_and_dearer_alarms_later():
    cheap = Calibration(level_of(2), SETTINGS)
    dear = Calibration(level_of(2), replace(SETTINGS, detector_arl0=20_000))
    assert cheap.delay(1.5) > cheap.delay(2) > cheap.delay(3)
    assert dear.delay(2) > cheap.delay(2)


def test_the_statement_gives_price_reference_and_delay():
    details = Calibration(level_of(3), SETTINGS).details()
    assert details["statement"].startswith("one false alarm in 2,000 labelled rows, by a reference of 2,000 rows; at")
    assert details["delay_doubled"] == pytest.approx(Calibration(level_of(3), SETTINGS).details()["delay_doubled"])
    regimes = np.repeat(np.random.default_rng(0).random(50) < 0.5, 100)
    bursts = error_level_from(np.random.default_rng(1).random(5_000) < np.where(regimes, 0.3, 0.1))
    assert "errors come in bursts" in Calibration(bursts, SETTINGS).details()["statement"]
