"""Many tests at once."""

import numpy as np


def benjamini_hochberg(p_values: np.ndarray) -> np.ndarray:
    """Adjusted p-values, shape (m,): rejecting those at most alpha keeps the false discovery rate at alpha.

    Where nothing has moved, the chance of any rejection is at most alpha for independent tests (and for the positive
    dependence that features usually have). A NaN counts as 1.

    Y. Benjamini and Y. Hochberg, Controlling the false discovery rate, JRSS B 57 (1995).

    >>> import numpy as np
    >>> from monitoring.detectors.benjamini_hochberg import benjamini_hochberg
    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03, 0.5])).round(4).tolist()
    [0.04, 0.0533, 0.0533, 0.5]
    """
    p = np.nan_to_num(np.asarray(p_values, dtype=float), nan=1.0)
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted
