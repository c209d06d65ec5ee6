"""Wasserstein distances to a sample that is known in advance."""

from collections.abc import Sequence

import numpy as np


class QuantileCells:
    """The quantile functions of k sorted samples, each cut into n equal parts: a cell for each value of a window."""

    def __init__(self, samples: Sequence[np.ndarray], n: int):
        self._edges = np.linspace(0, 1, n + 1)
        self._sizes = np.array([len(sample) for sample in samples])
        sums = [np.concatenate([[0.0], np.cumsum(sample)]) / len(sample) for sample in samples]
        self._starts = np.cumsum(self._sizes + 1) - self._sizes - 1
        self._sums = np.concatenate(sums)
        self._upto = np.array([np.interp(self._edges, np.linspace(0, 1, len(part)), part) for part in sums])
        self.means = np.diff(self._upto, axis=1) * n

    def distances(self, values: np.ndarray, ranks: np.ndarray) -> np.ndarray:
        """The first Wasserstein distances between sorted windows and the samples, shape (k, n) -> (k,).

        `ranks` counts the sample's values up to each value. A value that lies within its cell parts it: then the
        distance to the cell's mean would be too small, by much where the tail is heavy.
        """
        n = values.shape[1]
        distance = np.abs(values - self.means)
        t = ranks / self._sizes[:, None]
        j, i = np.nonzero((t > self._edges[:-1]) & (t < self._edges[1:]))
        w, t = values[j, i], t[j, i]
        below = self._sums[self._starts[j] + ranks[j, i]]
        moment = w * (2 * t - self._edges[i] - self._edges[i + 1])
        distance[j, i] = n * (moment - 2 * below + self._upto[j, i] + self._upto[j, i + 1])
        return distance.mean(axis=1)

    def distances_within(self, values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """The same once both are drawn in to `low` and `high`, each of shape (k,); what a cell holds counts as one."""
        low, high = low[:, None], high[:, None]
        return np.abs(np.clip(values, low, high) - np.clip(self.means, low, high)).mean(axis=1)
