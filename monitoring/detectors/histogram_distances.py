"""Distances between histograms."""

import numpy as np

_FLOOR = 1e-4


def histogram_distances(counts: np.ndarray, reference: np.ndarray) -> dict[str, np.ndarray]:
    """PSI, Jensen-Shannon, Hellinger, total variation and chi-square, each of shape (m,).

    `counts` and `reference` hold a row of bins per histogram, shape (m, bins); bins that are 0 in both change
    nothing. `psi` floors shares at 1e-4, as is usual; `jensen_shannon` is the distance (the root of the divergence)
    to base 2, 0 to 1, as are `hellinger` and `total_variation`; `chi_square` is the statistic of the two-sample test.
    """
    n, m = counts.sum(axis=1, keepdims=True), reference.sum(axis=1, keepdims=True)
    q, p = counts / np.maximum(n, 1), reference / np.maximum(m, 1)
    middle = (p + q) / 2
    divergence = (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2
    floored_q, floored_p = np.maximum(q, _FLOOR), np.maximum(p, _FLOOR)
    moved = p - q
    both = np.maximum(counts + reference, 1)
    return {
        "psi": ((floored_q - floored_p) * np.log(floored_q / floored_p)).sum(axis=1),
        "jensen_shannon": np.sqrt(np.clip(divergence, 0.0, 1.0)),
        "hellinger": np.sqrt(np.maximum(1 - np.sqrt(p * q).sum(axis=1), 0.0)),
        "total_variation": np.abs(moved).sum(axis=1) / 2,
        "chi_square": ((n * m * moved * moved) / both).sum(axis=1),
    }


def _relative_entropy(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """In bits; bins with p = 0 count nothing."""
    ratio = np.divide(p, q, out=np.ones_like(p), where=p > 0)
    return (p * np.log2(ratio)).sum(axis=1)
