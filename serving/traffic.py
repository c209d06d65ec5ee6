"""A change of traffic: checked in Seldon's words, put in force, and waited for until all workers have it."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from leeway.desired import LIVE, Change, change, desired
from leeway.interfaces import State
from leeway.workers import living

from .errors import BadRequest
from .graph.deployment import Deployment
from .graph.seldon_deployment import check_shares

_PATIENCE_S, _POLL_S = 10.0, 0.1
_PATH = re.compile(r"/spec/predictors/(\d+)/traffic")


@dataclass(frozen=True)
class Changed:
    """What is in force now. `waiting` are workers that live and do not have it yet; `notes` say what was filled in."""

    change: Change
    confirmed: tuple[str, ...]
    waiting: tuple[str, ...]
    notes: tuple[str, ...]


def current(state: State, key: str, deployment: Deployment) -> dict[str, int]:
    """The shares that are in force."""
    own, found = deployment.shares, desired(state, key)
    return own if found is None or found.declared != own else {name: found.weights.get(name, 0) for name in own}


def set_traffic(
    state: State, key: str, deployment: Deployment, shares: Mapping[str, int], who: str, why: str
) -> Changed:
    """Give predictors their shares, in percent. `key` is project/function/deployment. With two predictors the other one
    gets the rest; LoadError with Seldon's words where the shares do not add up, BadRequest where there is no such
    predictor. It waits for the live workers, 10 s at most."""
    own = deployment.shares
    if unknown := [name for name in shares if name not in own]:
        raise BadRequest(f"{deployment.name} has no predictor {unknown[0]!r:.60} that answers; it has {', '.join(own)}")
    if wrong := [share for share in shares.values() if type(share) is not int or not 0 <= share <= 100]:
        raise BadRequest(f"traffic is {wrong[0]!r:.40}; expected a whole number from 0 to 100")
    weights, notes = {**current(state, key, deployment), **shares}, []
    if len(own) == 2 and len(shares) == 1:
        (given,) = shares
        (other,) = set(own) - {given}
        weights[other] = 100 - shares[given]
        notes.append(f"{other} gets the rest, {weights[other]} %")
    check_shares(deployment.name, list(weights.values()))
    made = change(state, key, own, weights, who, why)
    confirmed, waiting = _wait(state, key, deployment.name, made.version)
    return Changed(made, confirmed, waiting, tuple(notes))


def patched(deployment: Deployment, patch: Any) -> dict[str, int]:
    """The shares that a JSON patch (RFC 6902) on /spec/predictors/<i>/traffic gives; BadRequest for any other one."""
    if not isinstance(patch, Sequence) or isinstance(patch, str) or not patch:
        raise BadRequest(f'the patch is {patch!r:.60}; expected [{{"op": "replace", "path": ..., "value": ...}}]')
    found = {}
    for each in patch:
        path = str(each.get("path") if isinstance(each, Mapping) else each)
        at = _PATH.fullmatch(path)
        if at is None or each.get("op") not in ("replace", "add") or int(at[1]) >= len(deployment.predictors):
            last = len(deployment.predictors) - 1
            raise BadRequest(
                f"{each!r:.100} cannot be patched; expected replace or add of /spec/predictors/<0 to {last}>/traffic"
            )
        found[deployment.predictors[int(at[1])].name] = each.get("value")
    return found


def _wait(state: State, key: str, deployment: str, version: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(workers that have it, workers that have not)"""
    function_uri, deadline = key.rpartition("/")[0], time.monotonic() + _PATIENCE_S
    while True:
        known = [each for each in living(state, LIVE, function_uri) if deployment in each.versions]
        waiting = tuple(each.name for each in known if each.versions[deployment] < version)
        if not waiting or time.monotonic() > deadline:
            return tuple(each.name for each in known if each.name not in waiting), waiting
        time.sleep(_POLL_S)
