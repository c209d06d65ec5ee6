"""Detectors of others, as they come: their defaults, and Page-Hinkley as the retired function of MLRun's hub set it."""

from collections.abc import Callable
from typing import Any

import numpy as np


def peers() -> dict[str, Callable[[], Any]]:
    """By name, what makes one of river's detectors."""
    from river.drift import ADWIN, PageHinkley, binary

    return {
        "DDM": binary.DDM,
        "EDDM": binary.EDDM,
        "HDDM-A": binary.HDDM_A,
        "HDDM-W": binary.HDDM_W,
        "ADWIN": ADWIN,
        "Page-Hinkley": PageHinkley,
        "Page-Hinkley, MLRun": lambda: PageHinkley(threshold=10),
    }


def run(name: str, errors: np.ndarray) -> list[int]:
    """The rows on which one of them alarms, fed from the first row on."""
    detector, found = peers()[name](), []
    for row, error in enumerate(errors.tolist()):
        detector.update(error)
        if detector.drift_detected:
            found.append(row)
    return found
