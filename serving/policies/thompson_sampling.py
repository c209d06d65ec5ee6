"""Thompson sampling for rewards between 0 and 1 (Thompson 1933; Chapelle and Li 2011).

Each arm's success rate has a Beta(1 + successes, 1 + failures) as its posterior, and an arm is chosen as often as it is
the best one. That probability is computed instead of drawn, so that the record can hold it.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np

from leeway.desired import Reward

_NODES = 512


def thompson_sampling(rewards: Sequence[Reward]) -> list[float]:
    """The probability of each arm: that its rate is the largest. P(i) is the mean, over quantiles of arm i, of the
    product of the other arms' distribution functions (Gauss-Legendre with 512 nodes; the sum is off by less than 1e-3,
    and is made 1).

    >>> thompson_sampling([Reward(), Reward()])
    [0.5, 0.5]
    """
    from scipy.special import betainc, betaincinv

    if len(rewards) == 1:
        return [1.0]
    alphas = [1 + each.successes for each in rewards]
    betas = [1 + max(0.0, each.tries - each.successes) for each in rewards]
    at, weights = _quadrature()
    found = []
    for i in range(len(rewards)):
        rates = betaincinv(alphas[i], betas[i], at)
        others = [betainc(alphas[j], betas[j], rates) for j in range(len(rewards)) if j != i]
        found.append(float(weights @ np.prod(others, axis=0)))
    total = sum(found)
    return [round(each / total, 12) for each in found]


@cache
def _quadrature() -> tuple[np.ndarray, np.ndarray]:
    """Places in (0, 1) and their weights, which add up to 1."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return (nodes + 1) / 2, weights / 2
