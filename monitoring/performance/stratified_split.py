"""Rows parted at random into those to learn from and those to judge by, with the same share of ones in both."""

from collections.abc import Iterator

import numpy as np

_SEED = 42  # NannyML's, so that both calibrate the same classes


def stratified_splits(outcomes: np.ndarray, splits: int, share: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """`splits` times (rows to learn from, rows to judge by, `share` of them), as indices into zeros and ones, shape
    (n,), which has both.

    Draw for draw what scikit-learn's StratifiedShuffleSplit(random_state=42) gives, which would cost a consumer 40 MB.

    >>> import numpy as np
    >>> from monitoring.performance.stratified_split import stratified_splits
    >>> [test.tolist() for _, test in stratified_splits(np.repeat([0, 1], 20), 2, 0.1)]
    [[14, 20, 6, 21], [3, 13, 34, 32]]
    """
    n = len(outcomes)
    judged = int(np.ceil(share * n))
    of_value = [np.flatnonzero(outcomes == 0), np.flatnonzero(outcomes)]
    sizes = np.array([len(rows) for rows in of_value])
    rng = np.random.RandomState(_SEED)
    for _ in range(splits):
        learnt = _shared_out(n - judged, sizes, rng)
        ends = learnt + _shared_out(judged, sizes - learnt, rng)
        mixed = [rows[rng.permutation(len(rows))] for rows in of_value]
        train = np.concatenate([rows[:first] for rows, first in zip(mixed, learnt)])
        test = np.concatenate([rows[first:last] for rows, first, last in zip(mixed, learnt, ends)])
        yield rng.permutation(train), rng.permutation(test)


def _shared_out(places: int, sizes: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    """So many places by size: the whole parts, and one more each to those with the largest rest, drawn where equal."""
    exact = sizes / sizes.sum() * places
    shared = np.floor(exact).astype(int)
    rest = exact - shared
    left = places - int(shared.sum())
    while left > 0:
        largest = np.flatnonzero(rest == rest.max())
        drawn = rng.choice(largest, size=min(len(largest), left), replace=False)
        shared[drawn] += 1
        rest[largest] = -1.0
        left -= len(drawn)
    return shared
