"""Runs models, whatever the protocol: an InferenceRequest in, an InferenceResponse out."""

import logging
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from .errors import ModelFailed, NotFound, ServingError
from .graph.deployment import Deployment
from .models.load import LoadedModel, load
from .types import About, Endpoint, InferenceRequest, InferenceResponse, Operation

_log = logging.getLogger("leeway.serving")


class Served(NamedTuple):
    """One loaded model, and who it is."""

    endpoint: Endpoint
    loaded: LoadedModel


class DataPlane:
    """The deployments of one worker, by name."""

    def __init__(self, served: Mapping[str, Served]):
        self._served = dict(served)
        self._before: dict[str, Served] = {}  # by endpoint id: what was replaced last
        self._unloaded: dict[str, Served] = {}

    @classmethod
    def of(cls, deployments: Iterable[Deployment], function_uri: str, handler: str, home: Path) -> "DataPlane":
        """Load every model; LoadError where one cannot be. `function_uri` is project/function."""
        return cls({each.name: _serve(each, function_uri, handler, home) for each in deployments})

    @property
    def served(self) -> list[Served]:
        return list(self._served.values())

    def replace(self, served: Served) -> None:
        """Let it answer for its deployment from now on. What was there before it answers what it has been asked."""
        name = served.endpoint.deployment
        if (before := self._served.get(name)) is not None:
            others = {id: each for id, each in self._before.items() if each.endpoint.deployment != name}
            self._before = {**others, before.endpoint.id: before}
        self._served[name] = served
        self._unloaded.pop(name, None)

    def remove(self, deployment: str) -> None:
        """Let nobody answer for it any more. What it has been asked it still answers."""
        if (before := self._served.pop(deployment, None)) is not None:
            self._before[before.endpoint.id] = before
            self._unloaded[deployment] = before

    def unloaded(self) -> list[About]:
        """What is known of the models that were removed."""
        return [msgspec.structs.replace(_about(each), is_ready=False) for each in self._unloaded.values()]

    def endpoint(self, deployment: str, version: str = "") -> Endpoint:
        """Who answers; NotFound where nobody is called so, or not in this version."""
        served = self._served.get(deployment)
        if served is None:
            if deployment in self._unloaded:
                raise NotFound(f"{deployment} is unloaded; POST /v2/repository/models/{deployment}/load loads it")
            raise NotFound(f"no model {deployment!r:.80} is served here; there are: {', '.join(self._served)}")
        if version and version != served.endpoint.version:
            raise NotFound(f"{deployment} has no version {version!r:.80}; it has {served.endpoint.version}")
        return served.endpoint

    def answer(self, endpoint: Endpoint, request: InferenceRequest) -> InferenceResponse:
        """ServingError where there is no answer; what a model raises is logged whole, and told by its name."""
        when = time.time()
        served = self._served.get(endpoint.deployment)
        if served is None or served.endpoint.id != endpoint.id:
            served = self._before.get(endpoint.id)
        if served is None:
            raise NotFound(f"{endpoint.deployment} is served in another version by now; ask again")
        model = served.loaded.model
        try:
            prediction = (model.explain if request.operation is Operation.EXPLAIN else model.predict)(request)
        except ModelFailed:
            _log.exception("model %s: request %s", endpoint.id, request.id, extra=_logged(endpoint, request))
            raise
        except ServingError:
            raise
        except (Exception, SystemExit) as error:
            _log.exception("model %s failed: request %s", endpoint.id, request.id, extra=_logged(endpoint, request))
            raise ModelFailed(
                f"model {endpoint.deployment!r} failed with {type(error).__name__}; the function's log says where"
            ) from error
        return InferenceResponse(request.id, endpoint, prediction, when)

    def about(self, deployment: str = "") -> list[About]:
        """What is known of one model, or of all of them."""
        return [_about(self._served[deployment])] if deployment else [_about(each) for each in self._served.values()]


def _logged(endpoint: Endpoint, request: InferenceRequest) -> dict[str, dict[str, str]]:
    """What a log line says beside its message."""
    return {"with": {"deployment": endpoint.deployment, "request_id": request.id}}


def _serve(deployment: Deployment, function_uri: str, handler: str, home: Path) -> Served:
    return served(deployment, load(deployment.predictors[0].graph, handler, home), function_uri)


def served(deployment: Deployment, loaded: LoadedModel, function_uri: str) -> Served:
    """Who answers with a model that is loaded."""
    predictor = deployment.predictors[0]
    node = predictor.graph
    path = f"{function_uri}/{deployment.name}/{predictor.name}/{node.name}/{loaded.version}"
    endpoint = Endpoint(path, deployment.name, node.name, loaded.version, loaded.model.class_name, loaded.features)
    return Served(endpoint, loaded)


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
    )
