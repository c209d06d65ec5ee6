"""Rewards by arm, which bandits learn from. The stream's consumer is their only writer; workers read what it shows.

A reward speaks of the arm that its feedback names, as callers that give back meta.routing do, or of the arm that
answered the request whose id it has.
"""

from collections.abc import Mapping

import msgspec

from leeway.desired import Reward

_PREFIX = "rewards/"


class RewardBook:
    """The rewards of one shard, by stream key and arm."""

    def __init__(self) -> None:
        self._rewards: dict[str, dict[str, Reward]] = {}
        self._changed: set[str] = set()

    def add(self, key: str, arm: str, rewards: list[float]) -> None:
        """Count rewards of an arm. As a success each counts between 0 and 1."""
        arms = self._rewards.setdefault(key, {})
        known = arms.get(arm, Reward())
        arms[arm] = Reward(
            known.tries + len(rewards),
            known.total + sum(rewards),
            known.successes + sum(min(1.0, max(0.0, each)) for each in rewards),
        )
        self._changed.add(key)

    def changes(self) -> tuple[dict[str, bytes], list[str]]:
        """What is to be put into the state since the last call."""
        puts = {_PREFIX + key: msgspec.json.encode(self._rewards[key]) for key in sorted(self._changed)}
        self._changed.clear()
        return puts, []

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """From what the state holds."""
        for key, value in stored.items():
            if key.startswith(_PREFIX):
                self._rewards[key.removeprefix(_PREFIX)] = msgspec.json.decode(value, type=dict[str, Reward])
