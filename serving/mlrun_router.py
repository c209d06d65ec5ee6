"""The router of an MLRun `kind: serving` graph: our front door before the models that `fn.add_model` names."""

from collections.abc import Mapping
from typing import Any

import orjson

from leeway.settings import Settings

from .dataplane import DataPlane, served
from .errors import LoadError
from .graph.deployment import Deployment, Node, Predictor
from .graph.environment import PREDICTOR, seldon_deployments
from .graph.place import Served
from .models.load import hosted, load
from .nuclio_function import NuclioFunction
from .settings import ServingSettings
from .types import HttpRequest


class ClassifierModel:
    """The class of a route whose model our own server loads: what `fn.add_model` names where it is not a class of the
    user's. MLRun makes it, and asks it nothing."""

    def __init__(self, context: Any = None, name: str = "", model_path: str = "", outputs: Any = None, **parameters):
        self.name, self.model_path, self.parameters = name, model_path or "", parameters


class MlrunRouter:
    """Mounted by MLRun as the router class of a graph, in `to_mock_server()` and in a worker; it asks no MLRun service.

    A route is a ClassifierModel (a scikit-learn model, whatever else MODEL_CLASS could name), or an instance of a
    V2ModelServer of the user's, which MLRun made and loaded. `<name>:<version>` names a version. The graphs that
    SELDON_DEPLOYMENT describes may have routes as nodes: one that is called so needs no modelUri. Paths, bodies,
    records and settings are those of the model server.
    """

    def __init__(self, context: Any = None, name: str = "", routes: Mapping[str, Any] | None = None, **_: Any):
        self._context, self._routes, self.function = context, routes or {}, None

    def post_init(self, mode: str = "sync", **_: Any) -> None:
        """MLRun calls it when the routes are there. LoadError says which model it was, and what was wrong."""
        serving, settings = ServingSettings.read(needs_models=False), Settings.read()
        if uri := getattr(getattr(self._context, "server", None), "function_uri", "") or "":
            serving = _named(serving, uri)
        plane: dict[str, Served] = {}
        for key, step in self._routes.items():
            one = _serve(key, step, serving, settings)
            if one.endpoint.deployment in plane:
                raise LoadError(f"two routes are called {one.endpoint.deployment!r}: one version of a model is served")
            plane[one.endpoint.deployment] = one
        graphs = seldon_deployments(serving, plane)
        whole = DataPlane.of(graphs, serving.function_uri, serving.handler, settings.home, plane)
        self.function = NuclioFunction.over(whole, serving, settings, str(self._context.worker_id))
        platform = getattr(self._context, "platform", None)
        if platform is not None:
            platform.set_termination_callback(self.function.close)

    def do_event(self, event: Any, *_: Any, **__: Any) -> Any:
        """An event with the decoded answer; a Response where it is none of 200, or no JSON."""
        headers = {name.lower(): value for name, value in (event.headers or {}).items() if isinstance(value, str)}
        method = event.method or ("POST" if event.body else "GET")
        answer = self.function.gateway.answer(HttpRequest(method, event.path or "/", headers, event.body))
        if self._context.is_mock and answer.status == 200 and answer.content_type == "application/json":
            event.body = orjson.loads(answer.body)
            return event
        return self._context.Response(answer.headers, answer.body, answer.content_type, answer.status)


def _named(serving: ServingSettings, uri: str) -> ServingSettings:
    import dataclasses

    project, _, function = uri.partition("/")
    return dataclasses.replace(serving, project=project, function=function.partition(":")[0])


def _serve(key: str, step: Any, serving: ServingSettings, settings: Settings) -> Served:
    instance = step.async_object
    name, _, version = key.partition(":")
    own = isinstance(instance, ClassifierModel)
    uri = str((step.class_args or {}).get("model_path") or "")
    node = Node(name, uri=uri, version=version, parameters=instance.parameters if own else {})
    loaded = load(node, serving.handler, settings.home) if own else hosted(node, instance)
    return served(Deployment(name, (Predictor(PREDICTOR, node),)), loaded, serving.function_uri)
