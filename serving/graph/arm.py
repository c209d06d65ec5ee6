"""A predictor that runs, and who it is."""

import hashlib
from collections.abc import Sequence

from serving.types import Endpoint, Walk

from .executor import Place, Run
from .message import Message
from .unit import Unit

_VERSION_DIGITS = 12


class Arm:
    """`path` is project/function/deployment/predictor."""

    def __init__(self, name: str, place: Place, path: str):
        self.name, self.place, self.path = name, place, path
        self._places = tuple(place.walk())
        self._known: tuple[list, Endpoint] | None = None

    @property
    def endpoint(self) -> Endpoint:
        """Who answers, where it is not one model alone: the arm, in a version of all its nodes' versions."""
        known, places = self._known, self._places
        found = [place.find() for place in places]
        if known is None or known[0] != found:
            known = self._known = found, self._made(found)
        return known[1]

    def walk(self, run: Run, message: Message, key_hash: str | None = None, shadow_of: str | None = None) -> Walk:
        """The way that a request went through it."""
        answered = run.answered
        return Walk(
            endpoint=answered if answered is not None else self.endpoint,
            arm="/".join(run.chosen) or None,
            propensity=run.propensity if run.chosen else None,
            key_hash=key_hash,
            shadow_of=shadow_of,
            nodes=run.nodes if len(run.nodes) > 1 or answered is None else [],
            routing=run.routing,
            path=run.path,
            tags=message.tags,
            metrics=message.metrics,
            names=message.names if message.rows is not run.request.rows else None,
        )

    def _made(self, found: Sequence[tuple[Unit, Endpoint | None]]) -> Endpoint:
        unit, endpoint = found[0]
        if len(found) == 1 and endpoint is not None:
            return endpoint
        versions = [f"{place.name}:{unit.class_name}:{unit.version}" for place, (unit, _) in zip(self._places, found)]
        version = hashlib.sha256("\n".join(versions).encode()).hexdigest()[:_VERSION_DIGITS]
        root = self.place.name
        deployment = self.path.split("/")[2]
        return Endpoint(f"{self.path}/{root}/{version}", deployment, root, version, unit.class_name)
