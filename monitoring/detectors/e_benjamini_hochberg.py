"""Many e-values at once."""

import numpy as np


def e_benjamini_hochberg(e_values: np.ndarray, bound: float) -> np.ndarray:
    """Which hypotheses to reject, bool of shape (m,): the r largest e-values, r the largest number of which each is at
    least bound / r.

    With a bound of m / alpha the false discovery rate is at most alpha, however the e-values hang together.

    R. Wang and A. Ramdas, False discovery rate control with e-values, JRSS B 84 (2022).

    >>> import numpy as np
    >>> from monitoring.detectors.e_benjamini_hochberg import e_benjamini_hochberg
    >>> e_benjamini_hochberg(np.array([45.0, 35.0, 60.0, 2.0]), 100.0).tolist()
    [True, True, True, False]
    """
    e = np.asarray(e_values, dtype=float)
    falling = np.sort(e)[::-1]
    reached = np.flatnonzero(falling * np.arange(1, len(e) + 1) >= bound)
    return e >= falling[reached[-1]] if len(reached) else np.zeros(len(e), bool)
