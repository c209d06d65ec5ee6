"""A predictor that runs, and who it is."""

import hashlib
from collections.abc import Sequence

from serving.types import Endpoint, Walk

from .executor import Place, Run
from .message import Message
from .unit import Unit

_VERSION_DIGITS = 12


class Arm:
    """`path` is project/function/deployment/predictor. `is_one_model`: a model is all of it, with no limit of its
    own, so that what it took is what the request took."""

    def __init__(self, name: str, place: Place, path: str):
        self.name, self.place, self.path = name, place, path
        self._places = tuple(place.walk())
        self.is_one_model = len(self._places) == 1 and place.timeout_s is None and place.find()[1] is not None
        self._known: tuple[list, Endpoint] | None = None

    @property
    def endpoint(self) -> Endpoint:
        """Who answers, where it is not one model alone: the arm, in a version of all its nodes' versions."""
        places = self._places
        if len(places) == 1 and (alone := self.place.find()[1]) is not None:
            return alone
        known = self._known
        found = [place.find() for place in places]
        if known is None or known[0] != found:
            known = self._known = found, self._made(found)
        return known[1]

    def walk(self, run: Run, message: Message, key_hash: str | None = None, shadow_of: str | None = None) -> Walk:
        """The way that a request went through it."""
        spoke, chosen = run.spoke, run.chosen
        answered = spoke[0] if len(spoke) == 1 else None  # the model, where it alone had a say
        return Walk(
            endpoint=answered if answered is not None else self.endpoint,
            arm="/".join(chosen) if chosen else None,
            propensity=run.propensity if chosen else None,
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
        unit = found[0][0]
        versions = [f"{place.name}:{unit.class_name}:{unit.version}" for place, (unit, _) in zip(self._places, found)]
        version = hashlib.sha256("\n".join(versions).encode()).hexdigest()[:_VERSION_DIGITS]
        root = self.place.name
        deployment = self.path.split("/")[2]
        return Endpoint(f"{self.path}/{root}/{version}", deployment, root, version, unit.class_name)
