"""A router that learns from rewards."""

from collections.abc import Callable, Mapping, Sequence
from random import Random

from leeway.desired import Reward
from serving.errors import LoadError
from serving.policies.draw import draw
from serving.policies.epsilon_greedy import epsilon_greedy
from serving.policies.thompson_sampling import thompson_sampling
from serving.types import InferenceRequest

from .deployment import Node
from .message import Message
from .unit import Choice, Unit

EPSILON_GREEDY, THOMPSON_SAMPLING = "EPSILON_GREEDY", "THOMPSON_SAMPLING"
BANDITS = (EPSILON_GREEDY, THOMPSON_SAMPLING)
_EPSILON = 0.1


class Bandit:
    """One such node. `path` are the choices that lead to it; what the arms were rewarded with comes by `learn`."""

    def __init__(self, node: Node, path: Sequence[str], random: Random):
        if not node.children:
            raise LoadError(f"node {node.name!r}: {node.implementation} chooses among children, and has none")
        self._policy = _policy(node)
        self._arms = ["/".join((*path, child.name)) for child in node.children]
        self._random = random
        self._rewards = [Reward() for _ in self._arms]
        self._draw = draw(self._policy(self._rewards))
        self.unit = Unit(node.implementation, "1", route=self._route)

    def learn(self, rewards: Mapping[str, Reward]) -> None:
        """Take over the rewards of a deployment's arms; those below a child are the child's."""
        found = [_below(arm, rewards) for arm in self._arms]
        if found != self._rewards:
            self._draw = draw(self._policy(found))
            self._rewards = found

    def _route(self, message: Message, request: InferenceRequest) -> Choice:
        return Choice(*self._draw(self._random.random()))


def _policy(node: Node) -> Callable[[Sequence[Reward]], list[float]]:
    if node.implementation == THOMPSON_SAMPLING:
        return thompson_sampling
    epsilon = node.parameters.get("epsilon", _EPSILON)
    if type(epsilon) not in (int, float) or not 0 <= epsilon <= 1:
        raise LoadError(f"node {node.name!r}: parameter epsilon is {epsilon!r:.40}; expected a number from 0 to 1")
    return lambda rewards: epsilon_greedy(rewards, float(epsilon))


def _below(arm: str, rewards: Mapping[str, Reward]) -> Reward:
    found = [each for name, each in rewards.items() if name == arm or name.startswith(f"{arm}/")]
    return Reward(
        sum(each.tries for each in found), sum(each.total for each in found), sum(each.successes for each in found)
    )
