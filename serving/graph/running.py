"""A deployment of several predictors, or of a graph: chooses who answers, and runs it."""

import logging
import time
from collections.abc import Mapping, Sequence
from random import Random

import msgspec

from serving.errors import BadRequest, NotFound, NotOffered, ServingError
from serving.policies.draw import draw
from serving.policies.sticky import key_hash, sticky
from serving.types import Endpoint, Feedback, InferenceRequest, InferenceResponse, Operation, Walk

from .arm import Arm
from .bandit import Bandit
from .deployment import Deployment
from .executor import Executor, Place, Run
from .message import Message
from .shadow import Shadow
from .unit import ALL

FORCED = "x-leeway-predictor"

_log = logging.getLogger("leeway.serving")


class Split(msgspec.Struct, frozen=True, gc=False):
    """How requests are shared out among the arms; `version` counts the changes."""

    weights: tuple[float, ...]
    version: int = 0


# An arm, the probability with which it was chosen, and the hash of the key that chose it.
Chosen = tuple[Arm, float, str | None]


class Running:
    """One deployment in one worker. `split` is replaced as a whole when the traffic changes; `most` is the arm that
    answers most."""

    def __init__(
        self,
        deployment: Deployment,
        arms: Sequence[Arm],
        shadows: Sequence[Shadow],
        bandits: Sequence[Bandit],
        executor: Executor,
        random: Random,
    ):
        self.deployment, self.arms, self.shadows = deployment, tuple(arms), tuple(shadows)
        self.bandits = tuple(bandits)
        self._executor, self._random, self._sticky = executor, random, deployment.sticky
        self._nominal: Endpoint | None = None
        self._names = [arm.name for arm in self.arms]
        # Under it the choice of the predictor stands in Seldon's meta.routing; no node is called so.
        self.routing_name = f"{deployment.name}/predictor"
        several = len(self.arms) > 1
        self._draws = several and not self._sticky  # all but those who say whom they want
        self._routing = {name: {self.routing_name: i} if several else {} for i, name in enumerate(self._names)}
        self._alone = {arm.name: {**self._routing[arm.name], arm.place.name: ALL} for arm in self.arms}
        self.split = Split(tuple(float(each.weight) for each in deployment.live))

    @property
    def declared(self) -> dict[str, int]:
        """The shares that the deployment itself says, in the order of the arms."""
        return self.deployment.shares

    @property
    def follows(self) -> bool:
        """Whether there is something that can change while it runs."""
        return len(self.arms) > 1 or bool(self.bandits)

    def answer(
        self, request: InferenceRequest, headers: Mapping[str, str], version: str, when: float
    ) -> InferenceResponse:
        """`version` is "" for any, `when` the start of the request. ServingError where there is no answer; its `walk`
        says how far it came."""
        if request.operation is Operation.EXPLAIN:
            raise self._unexplained()
        if version or not self._draws or FORCED in headers:
            arm, propensity, by_key = self._choose(request, headers, version)
        else:
            index, propensity = self._draw(self._random.random())
            arm, by_key = self.arms[index], None
        for shadow in self.shadows:
            shadow.offer(request, arm.name, headers.get("traceparent"))
        message = Message(request.rows, request.names, None, request.tags)
        if arm.is_one_model:
            return self._ask_alone(arm, propensity, by_key, message, request, when)
        run = self._begun(arm, propensity, request)
        try:
            message = self._executor.run(arm.place, message, run)
        except ServingError as error:
            error.walk = arm.walk(run, message, by_key)
            raise
        walk = arm.walk(run, message, by_key)
        return InferenceResponse(request.id, walk.endpoint, message.said, when, walk)

    def _begun(self, arm: Arm, propensity: float, request: InferenceRequest) -> Run:
        routing = self._routing[arm.name]
        return Run(request, [arm.name], propensity, {**routing}) if routing else Run(request)

    def _ask_alone(
        self, arm: Arm, propensity: float, by_key: str | None, message: Message, request: InferenceRequest, when: float
    ) -> InferenceResponse:
        """As the executor does, of a model that is all of its arm: the way is known before it is gone."""
        place = arm.place
        unit, endpoint = place.find()
        began, path, routing = time.perf_counter_ns(), {place.name: unit.label}, self._alone[arm.name]
        try:
            said = unit.transform_input(message, request)
        except (Exception, SystemExit) as raised:
            run = self._begun(arm, propensity, request)
            run.path, run.routing = path, routing
            run.spoke.append(endpoint)
            error = self._executor.failed(place, run, began, raised)
            error.walk = arm.walk(run, message, by_key)
            raise error from raised
        is_choice = len(self.arms) > 1
        walk = Walk(
            endpoint=endpoint,
            arm=arm.name if is_choice else None,
            propensity=propensity if is_choice else None,
            key_hash=by_key,
            routing=routing,
            path=path,
            tags=said.tags,
            metrics=said.metrics,
            names=said.names if said.rows is not request.rows else None,
        )
        return InferenceResponse(request.id, endpoint, said.prediction, when, walk)

    def hear(self, told: Feedback) -> Walk | None:
        """Tell the nodes that want to know, as far as `routing` says who was asked; who that was, where it does."""
        names: list[str] = []
        arm = self.arms[0]
        if len(self.arms) > 1:
            index = told.routing.get(self.routing_name, -1)
            if not 0 <= index < len(self.arms):
                return None
            arm = self.arms[index]
            names.append(arm.name)
        if not self._tell(arm.place, told, names):
            return None
        return Walk(endpoint=arm.endpoint, arm="/".join(names) or None)

    @property
    def split(self) -> Split:
        return self._split

    @split.setter
    def split(self, split: Split) -> None:
        self._split, self.most = split, self.arms[split.weights.index(max(split.weights))]
        self._draw = draw(split.weights)
        self._nominal = None

    def renew(self) -> None:
        """One of its models was replaced."""
        self._nominal = None

    @property
    def nominal(self) -> Endpoint:
        """Who would answer, as long as it is not known who does; no columns, as those are each model's own."""
        found = self._nominal
        if found is None:
            found = self._nominal = msgspec.structs.replace(self.most.endpoint, features=None)
        return found

    def _choose(self, request: InferenceRequest, headers: Mapping[str, str], version: str) -> Chosen:
        arms = self.arms
        if version:
            return self._of_version(version), 1.0, None
        if len(arms) == 1:
            return arms[0], 1.0, None
        if (forced := headers.get(FORCED, "")) != "":
            if forced not in self._names:
                error = BadRequest(f"{FORCED} is {forced!r:.60}; there are {', '.join(self._names)}")
                error.walk = Walk(endpoint=self.most.endpoint)
                raise error
            return arms[self._names.index(forced)], 1.0, None
        by = self._sticky
        key = (headers.get(by) or request.labels.get(by) or "") if by else ""
        if key:
            weights = self._split.weights
            index = sticky(key, self._names, weights)
            return arms[index], weights[index] / sum(weights), key_hash(key)
        index, propensity = self._draw(self._random.random())
        return arms[index], propensity, None

    def _of_version(self, version: str) -> Arm:
        for arm in self.arms:
            if arm.endpoint.version == version:
                return arm
        raise NotFound(f"{self.deployment.name} has no version {version!r:.80} any more")

    def _tell(self, place: Place, told: Feedback, names: list[str]) -> bool:
        """Whether it is known which way the request went, down from here; adds the names of chosen children."""
        unit, _ = place.find()
        branch = told.routing.get(place.name)
        if unit.feedback is not None:
            try:
                unit.feedback(told, branch)
            except (Exception, SystemExit):
                _log.exception("node %s failed at feedback about %s", place.name, told.about)
        if unit.route is None or branch == -1:
            return all([self._tell(child, told, names) for child in place.children])
        if branch is None or not 0 <= branch < len(place.children):
            return False
        names.append(place.children[branch].name)
        return self._tell(place.children[branch], told, names)

    def _unexplained(self) -> NotOffered:
        name = self.deployment.name
        kinds = [each.explainer for each in self.deployment.predictors if each.explainer]
        error = NotOffered(
            unserved_explainer(name, kinds[0])
            if kinds
            else f"{name} is a graph, which has no answer of its own to explain; ask one of its models"
        )
        error.walk = Walk(endpoint=self.most.endpoint)
        return error


def unserved_explainer(deployment: str, kind: str) -> str:
    """Why an explainer that was asked for does not answer."""
    return (
        f"the explainer {kind} of {deployment} is not served: explainers are containers of their own, which do not run "
        "here; a class of your own can explain: MODEL_CLASS, with a method explain(rows)"
    )
