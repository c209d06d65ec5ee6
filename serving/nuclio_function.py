"""A model server as a Nuclio function: made from its environment, and driven by Nuclio's events."""

from collections.abc import Sequence
from typing import Any, Self

from leeway.backends import connect
from leeway.desired import SHARED
from leeway.interfaces import State
from leeway.log_lines import start_logging
from leeway.settings import Settings
from leeway.tracing import Spans, spans_of

from .auth import Auth
from .compiling import Compiling
from .cors import Cors
from .dataplane import DataPlane, Served
from .gateway import Gateway
from .graph.environment import deployments_of
from .graph.shadow import Shadow
from .live import Live
from .metrics import Metrics
from .profiles import Profiles
from .protocols.mlrun_v1 import MlrunV1
from .protocols.mlrun_v2 import MlrunV2
from .protocols.open_inference import OpenInference
from .protocols.seldon_v1 import SeldonV1
from .protocols.tensorflow_v1 import TensorflowV1
from .recorder import Recorder
from .repository import Repository
from .request_log import RequestLog
from .settings import ServingSettings
from .traced import TracedGateway, traced_observer, traced_plane, traced_protocol
from .types import HttpRequest


class NuclioFunction:
    """What one worker holds: the gateway, and what has to be closed when it ends."""

    def __init__(
        self,
        gateway: Gateway | TracedGateway,
        profiles: Profiles,
        recorder: Recorder | None,
        metrics: Metrics,
        compiling: Compiling,
        repository: Repository,
        live: Live,
        shadows: Sequence[Shadow] = (),
        spans: Spans | None = None,
    ):
        self.gateway, self.recorder, self.live = gateway, recorder, live
        self._profiles, self._metrics = profiles, metrics
        self._compiling, self._repository, self._spans, self._shadows = compiling, repository, spans, shadows

    @classmethod
    def start(cls, serving: ServingSettings, settings: Settings, worker: str) -> Self:
        """Load the models, publish their profiles, open the outbox. Errors of LeewayError say what is wrong."""
        plane = DataPlane.of(deployments_of(serving), serving.function_uri, serving.handler, settings.home)
        return cls.over(plane, serving, settings, worker)

    @classmethod
    def over(cls, plane: DataPlane, serving: ServingSettings, settings: Settings, worker: str) -> Self:
        """With models that are loaded already."""
        spans = spans_of(settings, serving.function_uri)
        start_logging(settings, function=serving.function_uri, worker=worker)
        recorder = Recorder.start(serving, settings, worker) if serving.stream else None
        found = {each.endpoint.id: each.loaded.profile for each in plane.served}

        def open_state() -> State:
            return connect.state(settings, "shared")

        profiles = Profiles(open_state, {id: data for id, data in found.items() if data is not None})
        profiles.publish()
        folder = settings.home / "metrics" / serving.function_uri
        metrics = Metrics(plane.about, recorder.outlet if recorder else None, folder)
        observers = [*([recorder.see] if recorder else []), RequestLog(settings).see]
        protocols = (OpenInference(), MlrunV2(), TensorflowV1(), SeldonV1(), MlrunV1())
        auth, cors = Auth(serving.tokens), Cors(serving.origins)
        compiling = Compiling(plane, settings.compile_after_s)

        def changed(one: Served) -> None:
            compiling.begin(one)
            if one.loaded.profile is not None:
                profiles.add(one.endpoint.id, one.loaded.profile)

        uri, handler = serving.function_uri, serving.handler
        repository = Repository(plane, uri, handler, settings.home, open_state, serving.allows, changed)
        repository.start()
        compiling.begin(*plane.served)
        live = Live(lambda: connect.state(settings, SHARED), serving.function_uri, worker, plane.running)
        live.start()
        shadows = plane.shadows
        for shadow in shadows:
            shadow.see = recorder.see if recorder else shadow.see
            whose = shadow.arm.endpoint.deployment, shadow.arm.name
            shadow.dropped, shadow.queued = metrics.shadow_dropped(*whose), metrics.shadow_queue(*whose)
        if spans is not None:
            protocols = tuple(traced_protocol(protocol, spans) for protocol in protocols)
            observers[:-1] = [traced_observer("outbox", see, spans) for see in observers[:-1]]
            plane = traced_plane(plane, spans)
        gateway = Gateway(plane, protocols, metrics, observers, serving.max_body_mb << 20, auth, cors, repository)
        outer = gateway if spans is None else TracedGateway(gateway, spans)
        return cls(outer, profiles, recorder, metrics, compiling, repository, live, shadows, spans)

    def answer(self, context: Any, event: Any) -> Any:
        """A Response for every event."""
        headers = {name.lower(): value for name, value in (event.headers or {}).items() if isinstance(value, str)}
        answer = self.gateway.answer(HttpRequest(event.method or "GET", event.path or "/", headers, event.body))
        return context.Response(answer.headers, answer.body, answer.content_type, answer.status)

    def close(self) -> None:
        """Send what was recorded; what is not taken in time stays on disk, for another worker."""
        self.live.close()
        self._repository.close()
        self._compiling.close()
        self._profiles.close()
        for shadow in self._shadows:
            shadow.close()
        if self.recorder is not None:
            self.recorder.close()
        self._metrics.close()
        if self._spans is not None:
            self._spans.close()
