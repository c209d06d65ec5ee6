"""Runs models, whatever the protocol: an InferenceRequest in, an InferenceResponse out."""

import logging
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from .errors import LoadError, ModelFailed, NotFound, NotOffered, ServingError
from .graph.crew import Crew
from .graph.deployment import Deployment
from .graph.executor import Executor
from .graph.place import Served
from .graph.running import Running, unserved_explainer
from .graph.shadow import Shadow
from .graph.start import Start
from .models.load import LoadedModel, load
from .types import About, Endpoint, Feedback, InferenceRequest, InferenceResponse, Operation, Walk

_NO_HEADERS: Mapping[str, str] = {}

_log = logging.getLogger("leeway.serving")


class DataPlane:
    """The deployments of one worker, by name. `served` holds every loaded model: of a deployment of one model under the
    deployment's name, of graphs under deployment/predictor/node. `running` are the deployments with a graph,
    and `executor` runs them.
    """

    def __init__(
        self,
        served: dict[str, Served],
        running: Mapping[str, Running] | None = None,
        explainers: Mapping[str, str] | None = None,
        executor: Executor | None = None,
    ):
        self.executor = executor
        self._served, self._running, self._explainers = served, dict(running or {}), dict(explainers or {})
        self._before: dict[str, Served] = {}  # by endpoint id: what was replaced last
        self._unloaded: dict[str, Served] = {}

    @classmethod
    def of(
        cls,
        deployments: Iterable[Deployment],
        function_uri: str,
        handler: str,
        home: Path,
        hosted: Mapping[str, Served] | None = None,
    ) -> "DataPlane":
        """Load every model; LoadError where one cannot be. `function_uri` is project/function. `hosted` are deployments
        of models that the host brought along, which graphs may have as nodes too."""
        models: dict[str, Served] = dict(hosted or {})
        brought = {name: each.loaded for name, each in models.items()}
        executor = Executor(Crew())
        start = Start(models, executor, function_uri, handler, home, brought)
        running, explainers = {}, {}
        for each in deployments:
            if each.name in models:
                raise LoadError(f"two deployments are called {each.name!r}; give each a name of its own")
            if each.is_one_model:
                models[each.name] = _serve(each, function_uri, handler, home)
                if each.predictors[0].explainer:
                    explainers[each.name] = each.predictors[0].explainer
            else:
                running[each.name] = start.running(each)
        return cls(models, running, explainers, executor)

    @property
    def served(self) -> list[Served]:
        return list(self._served.values())

    def replace(self, served: Served) -> None:
        """Let it answer in its place from now on. What was there before it answers what it has been asked."""
        endpoint = served.endpoint
        key = _place_of(endpoint) if endpoint.deployment in self._running else endpoint.deployment
        if (before := self._served.get(key)) is not None:
            others = {id: each for id, each in self._before.items() if each.endpoint.deployment != endpoint.deployment}
            self._before = {**others, before.endpoint.id: before}
        self._served[key] = served
        if endpoint.deployment in self._running:
            self._running[endpoint.deployment].renew()
        self._unloaded.pop(key, None)

    def remove(self, deployment: str) -> None:
        """Let nobody answer for it any more. What it has been asked it still answers."""
        if (before := self._served.pop(deployment, None)) is not None:
            self._before[before.endpoint.id] = before
            self._unloaded[deployment] = before

    def unloaded(self) -> list[About]:
        """What is known of the models that were removed."""
        return [msgspec.structs.replace(_about(each), is_ready=False) for each in self._unloaded.values()]

    @property
    def single(self) -> dict[str, Served]:
        """The deployments of one model."""
        return {name: each for name, each in self._served.items() if name not in self._running and "/" not in name}

    @property
    def running(self) -> list[Running]:
        return list(self._running.values())

    @property
    def shadows(self) -> list[Shadow]:
        return [shadow for each in self._running.values() for shadow in each.shadows]

    @property
    def names(self) -> list[str]:
        """Of the deployments."""
        return [*(name for name in self._served if "/" not in name), *self._running]

    def endpoint(self, deployment: str, version: str = "") -> Endpoint:
        """Who answers; NotFound where nobody is called so, or not in this version. Of several who answers most."""
        served = self._served.get(deployment)
        if served is None and not version and (running := self._running.get(deployment)) is not None:
            return running.nominal
        if served is None and deployment in self._unloaded:
            raise NotFound(f"{deployment} is unloaded; POST /v2/repository/models/{deployment}/load loads it")
        if served is None or "/" in deployment:
            return self._endpoint_of_graph(deployment, version)
        if version and version != served.endpoint.version:
            raise NotFound(f"{deployment} has no version {version!r:.80}; it has {served.endpoint.version}")
        return served.endpoint

    def answer(
        self,
        endpoint: Endpoint,
        request: InferenceRequest,
        headers: Mapping[str, str] = _NO_HEADERS,
        version: str = "",
    ) -> InferenceResponse:
        """ServingError where there is no answer; what a model raises is logged whole, and told by its name. `headers`
        and `version` have a say in which predictor of several answers."""
        when = time.time()
        served = self._served.get(endpoint.deployment)
        if served is None and (running := self._running.get(endpoint.deployment)) is not None:
            return running.answer(request, headers, version, when)
        if served is None or served.endpoint.id != endpoint.id:
            served = self._before.get(endpoint.id)
        if served is None:
            raise NotFound(f"{endpoint.deployment} is served in another version by now; ask again")
        model = served.loaded.model
        try:
            if request.operation is Operation.EXPLAIN:
                prediction = self._explain(endpoint.deployment, served, request)
            else:
                prediction = model.predict(request)
        except ModelFailed:
            _log.exception("model %s: request %s", endpoint.id, request.id)
            raise
        except ServingError:
            raise
        except (Exception, SystemExit) as error:
            _log.exception("model %s failed: request %s", endpoint.id, request.id)
            raise ModelFailed(
                f"model {endpoint.deployment!r} failed with {type(error).__name__}; the function's log says where"
            ) from error
        return InferenceResponse(request.id, endpoint, prediction, when)

    def hear(self, endpoint: Endpoint, told: Feedback) -> Walk | None:
        """Pass feedback on to the nodes that learn from it; of whom it speaks, where it says so itself."""
        running = self._running.get(endpoint.deployment)
        return None if running is None else running.hear(told)

    def about(self, deployment: str = "") -> list[About]:
        """What is known of one deployment, or of all of them."""
        return [self._about(name) for name in ([deployment] if deployment else self.names)]

    def _explain(self, deployment: str, served: Served, request: InferenceRequest):
        kind = self._explainers.get(deployment)
        if kind is not None:
            raise NotOffered(unserved_explainer(deployment, kind))
        return served.loaded.model.explain(request)

    def _endpoint_of_graph(self, deployment: str, version: str) -> Endpoint:
        running = self._running.get(deployment)
        if running is None or "/" in deployment:
            raise NotFound(f"no model {deployment!r:.80} is served here; there are: {', '.join(self.names)}")
        if not version:
            return running.nominal
        found = [arm.endpoint for arm in running.arms]
        for endpoint in found:
            if endpoint.version == version:
                return endpoint
        known = ", ".join(each.version for each in found)
        raise NotFound(f"{deployment} has no version {version!r:.80}; it has {known}")

    def _about(self, name: str) -> About:
        if name in self._served:
            return _about(self._served[name])
        running = self._running[name]
        arm = running.most
        endpoint = arm.endpoint
        nodes = [_about_node(each) for each in arm.place.walk()]
        load_s = sum(each.loaded.load_s for key, each in self._served.items() if key.startswith(f"{name}/"))
        return About(
            name, endpoint.version, endpoint.class_name, endpoint.id, "", nodes[0].features, predictor=arm.name,
            nodes=nodes, load_s=load_s,
        )  # fmt: skip


def _place_of(endpoint: Endpoint) -> str:
    """deployment/predictor/node"""
    return "/".join(endpoint.id.split("/")[2:5])


def _serve(deployment: Deployment, function_uri: str, handler: str, home: Path) -> Served:
    return served(deployment, load(deployment.predictors[0].graph, handler, home), function_uri)


def served(deployment: Deployment, loaded: LoadedModel, function_uri: str) -> Served:
    """Who answers with a model that is loaded."""
    predictor = deployment.predictors[0]
    node = predictor.graph
    path = f"{function_uri}/{deployment.name}/{predictor.name}/{node.name}/{loaded.version}"
    endpoint = Endpoint(path, deployment.name, node.name, loaded.version, loaded.model.class_name, loaded.features)
    return Served(endpoint, loaded)


def _about_node(place) -> About:
    unit, endpoint = place.find()
    features = [{"name": name} for name in (endpoint.features if endpoint is not None else None) or ()]
    return About(place.name, unit.version, unit.class_name, endpoint.id if endpoint is not None else "", "", features)


def _about(served: Served) -> About:
    endpoint, loaded = served
    return About(
        endpoint.deployment,
        endpoint.version,
        endpoint.class_name,
        endpoint.id,
        loaded.sha256,
        [{"name": name} for name in endpoint.features or ()],
        loaded.outputs,
        engine=loaded.engine.name,
        engine_reason=loaded.engine.reason,
        warnings=list(loaded.warnings),
        predictor=endpoint.id.rsplit("/", 3)[1],
        load_s=loaded.load_s,
    )
