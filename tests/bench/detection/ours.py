"""The concept detector as a consumer runs it, on streams of errors."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from leeway.profile import ErrorLevel
from leeway.record import Verdict
from leeway.settings import Settings
from monitoring.calibrate import CONSERVATIVE
from monitoring.error_level import error_level_from
from monitoring.label_values import Completed, Entry, Place
from monitoring.learning_watch import LearningWatch
from monitoring.learnt_level import KeptLevel
from monitoring.verdicts import CLEARS, DETECTED

from .autocorrelated import burst_stream
from .protocol import LEVEL_ROWS, MISSED_AFTER

DEFAULT = Settings()
_ENTRY = Entry(0, "id", 0, 0, 0, 1, [None])
PRESETS = {"default": DEFAULT, "conservative": replace(DEFAULT, detector_preset=CONSERVATIVE)}


@dataclass(frozen=True)
class BurstResult:
    """One autocorrelated stream: the delay that is told for a doubled rate; incidents that open on the first arl0 of
    its null rows, and the share of all of these in an open one; after the rate doubled, the delay (None: not
    within 5,000 rows), and of the rows that follow the share in an open incident, and in the first one."""

    inflation: float
    told: float
    alarms: int
    open_share: float
    delay: int | None
    stays_open: float
    first_stays_open: float


def alarms_of(errors: np.ndarray, settings: Settings) -> list[int]:
    """The rows of a stream on which the detector alarms that its first 2,000 rows calibrate, and that goes on learning;
    it begins anew after each, whether its incident is over or not."""
    verdicts = verdicts_on(errors[LEVEL_ROWS:], error_level_from(errors[:LEVEL_ROWS]), settings)
    return [LEVEL_ROWS + verdict.at.offset for verdict in verdicts if verdict.status == DETECTED]


def burst_result(seed: int, sd: float, phi: float, settings: Settings = DEFAULT) -> BurstResult:
    """Of one stream of autocorrelated errors."""
    reference, null, raised = burst_stream(seed, sd, phi)
    level = error_level_from(reference)
    watch = watch_of(level, settings)
    opened = incidents(_verdicts(deepcopy(watch), null), len(null))
    verdicts = _verdicts(watch, raised)
    found = incidents(verdicts, len(raised))
    delay = found[0][0] if found and found[0][0] < MISSED_AFTER else None
    follow = len(raised) - (delay or 0)
    return BurstResult(
        inflation=level.inflation,
        told=verdicts[0].details["delay_doubled"],
        alarms=sum(start < settings.detector_arl0 for start, _ in opened),
        open_share=sum(end - start for start, end in opened) / len(null),
        delay=delay,
        stays_open=0.0 if delay is None else sum(end - start for start, end in found) / follow,
        first_stays_open=0.0 if delay is None else (found[0][1] - delay) / follow,
    )


def incidents(verdicts: Sequence[Verdict], rows: int) -> list[tuple[int, int]]:
    """(opened, ended) rows of the incidents of a stream of so many rows, by the verdicts on it."""
    found: list[tuple[int, int]] = []
    opened = None
    for verdict in verdicts:
        if verdict.status == DETECTED and opened is None:
            opened = verdict.at.offset
        elif CLEARS in verdict.details:
            found.append((opened, verdict.at.offset))
            opened = None
    return found if opened is None else [*found, (opened, rows)]


def verdicts_on(errors: np.ndarray, level: ErrorLevel, settings: Settings) -> list[Verdict]:
    """What the default detector says of a stream."""
    return _verdicts(watch_of(level, settings), errors)


def watch_of(level: ErrorLevel, settings: Settings) -> LearningWatch:
    """The default detector before it has seen a row."""
    return LearningWatch("endpoint", 0, level, settings, KeptLevel())


def _verdicts(watch: LearningWatch, errors: np.ndarray) -> list[Verdict]:
    verdicts: list[Verdict] = []
    watch.take_many(_items(len(errors)), errors, verdicts)
    return verdicts


@lru_cache(maxsize=4)
def _items(rows: int) -> list[Completed]:
    return [Completed(_ENTRY, 0, None, None, Place(row, 0, 0, 0)) for row in range(rows)]
