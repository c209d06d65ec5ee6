"""A model server as a Nuclio function: made from its environment, and driven by Nuclio's events."""

from typing import Any, Self

from leeway.backends import connect
from leeway.desired import SHARED
from leeway.settings import Settings

from .auth import Auth
from .cors import Cors
from .dataplane import DataPlane
from .gateway import Gateway
from .graph.environment import deployments_of
from .live import Live
from .metrics import Metrics
from .profiles import Profiles
from .protocols.mlrun_v1 import MlrunV1
from .protocols.mlrun_v2 import MlrunV2
from .protocols.open_inference import OpenInference
from .protocols.seldon_v1 import SeldonV1
from .protocols.tensorflow_v1 import TensorflowV1
from .recorder import Recorder
from .settings import ServingSettings
from .types import HttpRequest


class NuclioFunction:
    """What one worker holds: the gateway, and what has to be closed when it ends."""

    def __init__(self, gateway: Gateway, profiles: Profiles, recorder: Recorder | None, metrics: Metrics, live: Live):
        self.gateway, self.recorder, self.live = gateway, recorder, live
        self._profiles, self._metrics = profiles, metrics

    @classmethod
    def start(cls, serving: ServingSettings, settings: Settings, worker: str) -> Self:
        """Load the models, publish their profiles, open the outbox. Errors of LeewayError say what is wrong."""
        plane = DataPlane.of(deployments_of(serving), serving.function_uri, serving.handler, settings.home)
        return cls.over(plane, serving, settings, worker)

    @classmethod
    def over(cls, plane: DataPlane, serving: ServingSettings, settings: Settings, worker: str) -> Self:
        """With models that are loaded already."""
        recorder = Recorder.start(serving, settings, worker) if serving.stream else None
        found = {each.endpoint.id: each.loaded.profile for each in plane.served}
        profiles = Profiles(
            lambda: connect.state(settings, "shared"), {id: data for id, data in found.items() if data is not None}
        )
        profiles.publish()
        folder = settings.home / "metrics" / serving.function_uri
        metrics = Metrics([each.endpoint for each in plane.served], recorder.outlet if recorder else None, folder)
        observers = [recorder.see] if recorder else []
        protocols = (OpenInference(), MlrunV2(), TensorflowV1(), SeldonV1(), MlrunV1())
        auth, cors = Auth(serving.tokens), Cors(serving.origins)
        live = Live(lambda: connect.state(settings, SHARED), serving.function_uri, worker, plane.running)
        live.start()
        for shadow in plane.shadows:
            shadow.see = recorder.see if recorder else shadow.see
            shadow.dropped = metrics.shadow_dropped(shadow.arm.endpoint.deployment, shadow.arm.name)
        gateway = Gateway(plane, protocols, metrics, observers, serving.max_body_mb << 20, auth, cors)
        return cls(gateway, profiles, recorder, metrics, live)

    def answer(self, context: Any, event: Any) -> Any:
        """A Response for every event."""
        headers = {name.lower(): value for name, value in (event.headers or {}).items() if isinstance(value, str)}
        answer = self.gateway.answer(HttpRequest(event.method or "GET", event.path or "/", headers, event.body))
        return context.Response(answer.headers, answer.body, answer.content_type, answer.status)

    def close(self) -> None:
        """Send what was recorded; what is not taken in time stays on disk, for another worker."""
        self.live.close()
        self._profiles.close()
        if self.recorder is not None:
            self.recorder.close()
        self._metrics.close()
