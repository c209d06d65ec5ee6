"""Is a share of the window's rows other than it was in the reference?"""

import numpy as np
from scipy.special import betainc, ndtr

_MANY = 20


def more_often(k: np.ndarray, n: np.ndarray, k_reference: np.ndarray, n_reference: np.ndarray) -> np.ndarray:
    """One-sided p-values of `k` events in `n` rows against `k_reference` in `n_reference`; all of shape (m,).

    The conditional binomial test: given that k + k_reference events fell into either stretch, how likely are as many
    in the window? Counts need not be whole (autocorrelated rows count as fewer); 1 where there are no events.

    J. Przyborowski and H. Wilenski, Homogeneity of results in testing samples from Poisson series, Biometrika 31
    (1940).
    """
    share = n / np.maximum(n + n_reference, 1e-300)
    return np.where(k > 0, betainc(np.maximum(k, 1e-300), k_reference + 1, share), 1.0)


def other_share(k: np.ndarray, n: np.ndarray, k_reference: np.ndarray, n_reference: np.ndarray) -> np.ndarray:
    """Two-sided p-values of two shares: the test above, or a z-test where events and their absence are frequent."""
    absent, absent_reference = n - k, n_reference - k_reference
    swap = k + k_reference > absent + absent_reference
    few, few_reference = np.where(swap, absent, k), np.where(swap, absent_reference, k_reference)
    more, less = more_often(few, n, few_reference, n_reference), more_often(few_reference, n_reference, few, n)
    exact = 2 * np.minimum(more, less)
    pooled = (k + k_reference) / np.maximum(n + n_reference, 1e-300)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (k / n - k_reference / n_reference) / np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / n_reference))
    is_frequent = np.minimum(few, few_reference) >= _MANY
    p = np.where(is_frequent, 2 * ndtr(-np.abs(z)), np.minimum(exact, 1.0))
    return np.where((n > 0) & (n_reference > 0), p, 1.0)
