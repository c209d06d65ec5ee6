"""What should run: one versioned row per deployment in the shared state, which its workers follow.

A row holds the shares of traffic that a person or a controller set, with the history of who, when and why. It counts as
long as the deployment is declared as it was then: a deployment with other shares of its own begins anew.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from .compare_and_set import compare_and_set
from .interfaces import State

SHARED = "shared"  # the name of the state
LIVE = "live"  # the workers that follow it, as their group
_DESIRED = "desired/"
_REWARDS = "monitoring/rewards/"  # as the stream's consumer shows them
_HISTORY = 200


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """One change of traffic: `weights` is the share of each predictor in percent, `when` ISO 8601 UTC."""

    version: int
    when: str
    who: str
    why: str
    weights: dict[str, int]


class Desired(msgspec.Struct, frozen=True):
    """What should run of one deployment, whose own shares are `declared`; the last of `history` is in force."""

    declared: dict[str, int]
    history: list[Change]

    @property
    def version(self) -> int:
        return self.history[-1].version

    @property
    def weights(self) -> dict[str, int]:
        return self.history[-1].weights


class Reward(msgspec.Struct, frozen=True, array_like=True):
    """What an arm got: how many rewards, their sum, and their sum with each held between 0 and 1."""

    tries: int = 0
    total: float = 0.0
    successes: float = 0.0


def rewards(state: State, key: str) -> dict[str, Reward]:
    """By arm, what the stream's consumer counted of a deployment."""
    found = state.get(_REWARDS + key)
    return {} if found is None else msgspec.json.decode(found, type=dict[str, Reward])


def desired(state: State, key: str) -> Desired | None:
    """Of a deployment, by its stream key (project/function/deployment); None where nothing was ever changed."""
    found = state.get(_DESIRED + key)
    return None if found is None else msgspec.json.decode(found, type=Desired)


def change(
    state: State, key: str, declared: Mapping[str, int], weights: Mapping[str, int], who: str, why: str
) -> Change:
    """Put new shares in force. Of two at a time both count, one after the other."""

    def make(before: bytes | None) -> tuple[bytes, Change]:
        known = None if before is None else msgspec.json.decode(before, type=Desired)
        when = datetime.now(UTC).isoformat(timespec="seconds")
        made = Change(1 if known is None else known.version + 1, when, who, why, dict(weights))
        history = [*([] if known is None else known.history), made][-_HISTORY:]
        return msgspec.json.encode(Desired(dict(declared), history)), made

    return compare_and_set(state, _DESIRED + key, make)


def reset(state: State, key: str, why: str) -> None:
    """Let what a deployment declares be in force again, where it was changed; the history stays."""
    known = desired(state, key)
    if known is not None and known.weights != known.declared:
        change(state, key, known.declared, known.declared, "", why)
