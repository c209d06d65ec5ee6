"""Epsilon-greedy: mostly the best arm so far, now and then another one."""

from collections.abc import Sequence

from leeway.desired import Reward


def epsilon_greedy(rewards: Sequence[Reward], epsilon: float) -> list[float]:
    """The probability of each arm. The one with the largest mean reward has 1 - epsilon (equals share it), and epsilon
    goes to the others in equal parts; an arm that was never tried has the mean 0.

    >>> epsilon_greedy([Reward(10, 5.0, 5.0), Reward(10, 1.0, 1.0), Reward()], 0.2)
    [0.8, 0.1, 0.1]
    """
    count = len(rewards)
    if count == 1:
        return [1.0]
    means = [each.total / each.tries if each.tries else 0.0 for each in rewards]
    best = [i for i, mean in enumerate(means) if mean == max(means)]
    other = epsilon / (count - 1)
    share = (1 - epsilon) / len(best) + other * (len(best) - 1) / len(best)
    return [share if i in best else other for i in range(count)]
