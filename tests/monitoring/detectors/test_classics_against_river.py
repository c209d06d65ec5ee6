"""The detectors of the literature alarm where river's do."""

import numpy as np
import pytest
from river.drift import PageHinkley as RiverPageHinkley
from river.drift import binary

from monitoring.detectors.ddm import DDM
from monitoring.detectors.eddm import EDDM
from monitoring.detectors.hddm_a import HddmA
from monitoring.detectors.hddm_w import HddmW
from monitoring.detectors.page_hinkley import PageHinkley

PAIRS = {
    "ddm": (DDM, binary.DDM),
    "ddm 2.5": (lambda: DDM(50, 1.5, 2.5), lambda: binary.DDM(50, 1.5, 2.5)),
    "eddm": (EDDM, binary.EDDM),
    "page-hinkley": (PageHinkley, lambda: RiverPageHinkley(mode="up")),
    "page-hinkley both": (lambda: PageHinkley(threshold=10, mode="both"), lambda: RiverPageHinkley(threshold=10)),
    "page-hinkley down": (lambda: PageHinkley(mode="down"), lambda: RiverPageHinkley(mode="down")),
    "hddm-a": (HddmA, binary.HDDM_A),
    "hddm-a both": (lambda: HddmA(two_side_option=True), lambda: binary.HDDM_A(two_sided_test=True)),
    "hddm-w": (HddmW, binary.HDDM_W),
    "hddm-w both": (lambda: HddmW(two_side_option=True), lambda: binary.HDDM_W(two_sided_test=True)),
}
STREAMS = 200


def errors_of(seed: int, rows: int) -> list[int]:
    """Rates that move twice, in steps or slowly, up or down; some near 0, some near 1."""
    rng = np.random.default_rng(seed)
    levels = rng.choice([0.0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.0], size=3)
    where = np.linspace(0, 3, rows)
    rates = np.interp(where, [0.5, 1.5, 2.5], levels) if seed % 4 == 0 else levels[np.minimum(where.astype(int), 2)]
    return (rng.random(rows) < rates).astype(int).tolist()


def compare(name, rows, streams=STREAMS):
    ours, theirs = PAIRS[name]
    alarms = warnings = 0
    for seed in range(streams):
        own, river = ours(), theirs()
        for row, x in enumerate(errors_of(seed, rows)):
            is_alarm = own.update(x)
            river.update(x)
            assert is_alarm == river.drift_detected, (seed, row)
            alarms += is_alarm
            warnings += own.is_warning
            if not is_alarm and not name.endswith("both"):
                assert own.is_warning == getattr(river, "warning_detected", False), (seed, row)
    return alarms, warnings


@pytest.mark.parametrize("name", PAIRS)
def test_alarms_and_warnings_are_those_of_river(name):
    is_extra = name.endswith("both")
    alarms, warnings = compare(name, 150 if name.startswith("hddm") else 600, 40 if is_extra else STREAMS)
    assert alarms > 10
    assert (warnings > 0) == (not name.startswith("page"))


@pytest.mark.soak
@pytest.mark.parametrize("name", PAIRS)
def test_alarms_and_warnings_are_those_of_river_on_long_streams(name):
    assert compare(name, 20_000)[0] > 200
