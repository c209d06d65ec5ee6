"""From an exchange to a record in the outbox, before the answer leaves."""

import logging
import socket
import zlib
from datetime import UTC, datetime

from leeway.backends import connect
from leeway.clock import SystemClock
from leeway.forwarder import Forwarder
from leeway.outbox import Outbox
from leeway.privacy import Privacy
from leeway.record import EXPLAIN, FEEDBACK, INFER, SCHEMA, Origin, Record, Request, Response, encode
from leeway.settings import Settings

from .errors import ModelFailed
from .outlet import Outlet
from .settings import ServingSettings
from .types import Exchange, Feedback, Operation

_OP = {Operation.INFER: INFER, Operation.EXPLAIN: EXPLAIN, Operation.FEEDBACK: FEEDBACK}
_NO_RESPONSE = Response()
_CLOSE_S = 5.0
_KEEP_ALL = Privacy()

_log = logging.getLogger("leeway.recorder")


class Recorder:
    """Keeps what INFERENCE_STREAM_SAMPLE keeps. Nothing of it fails or alters an answer: what cannot be kept is
    dropped, and counted by reason. `ack_s` is how long an answer waits for the stream, None where it does not.
    """

    def __init__(
        self,
        outlet: Outlet,
        serving: ServingSettings,
        worker: str,
        ack_s: float | None = None,
        privacy: Privacy = _KEEP_ALL,
    ):
        self.outlet, self._ack_s, self._privacy = outlet, ack_s, privacy
        self._sample = serving.sample
        self._project, self._function_uri = serving.project, serving.function_uri
        self._host, self._worker = socket.gethostname(), worker
        self._keys: dict[str, str] = {}

    @classmethod
    def start(cls, serving: ServingSettings, settings: Settings, worker: str) -> "Recorder":
        """With an outbox of its own under the home, and a forwarder to `serving.stream`. A disk that has no room for
        the outbox and a stream that is away are tried again."""

        def open() -> tuple[Outbox, Forwarder]:
            outbox = Outbox.create(settings.home / "outbox" / serving.function_uri, settings, SystemClock())
            forwarder = Forwarder(outbox, lambda: connect.stream(serving.stream, settings), batch=serving.batch)
            forwarder.start()
            return outbox, forwarder

        ack_s = settings.outbox_ack_s if settings.outbox_ack == "stream" else None
        return cls(Outlet(open, SystemClock(), _log.warning), serving, worker, ack_s, Privacy.of(settings))

    @property
    def error(self) -> str:
        """Why the stream or the disk takes nothing, "" while they do."""
        return self.outlet.error

    def see(self, exchange: Exchange) -> None:
        """Keep it, if it is one of those that are kept. Feedback that was refused says nothing."""
        if exchange.operation is Operation.FEEDBACK and exchange.feedback is None:
            return
        if self.keeps(exchange):
            key = self._keys.get(exchange.deployment) or self._key(exchange.deployment)
            self.outlet.append(key, lambda origin: encode(self._kept(exchange, origin)), self._ack_s)

    def keeps(self, exchange: Exchange) -> bool:
        """Alike for a prediction and the feedback that speaks of it; feedback of no request is always kept."""
        if self._sample == 1:
            return True
        id = exchange.feedback.about if exchange.feedback is not None else exchange.id
        return not id or zlib.crc32(id.encode()) % self._sample == 0

    def close(self) -> bool:
        """Send the rest; False: some of it stays on disk, for another worker to send."""
        return self.outlet.close(_CLOSE_S)

    def _key(self, deployment: str) -> str:
        return self._keys.setdefault(deployment, f"{self._function_uri}/{deployment}")

    def _kept(self, exchange: Exchange, origin: Origin) -> Record:
        return self._privacy.apply(self._record(exchange, origin))

    def _record(self, exchange: Exchange, origin: Origin) -> Record:
        endpoint, asked, answer = exchange.endpoint, exchange.request, exchange.response
        told, walk = exchange.feedback, exchange.walk
        said = told or asked
        prediction = answer.prediction if answer is not None else None
        return Record(
            schema=SCHEMA,
            id=exchange.id,
            op=_OP[exchange.operation],
            when=datetime.fromtimestamp(exchange.when, UTC).isoformat(timespec="microseconds"),
            microsec=exchange.microsec,
            event_time=said.event_time if said is not None else None,
            project=self._project,
            function_uri=self._function_uri,
            deployment=exchange.deployment,
            endpoint_id=endpoint.id if told is None else "",
            model=endpoint.node,
            version=endpoint.version,
            class_=endpoint.class_name,
            origin=origin,
            request=_told(told) if told is not None else _asked(exchange),
            resp=_NO_RESPONSE
            if prediction is None
            else Response(exchange.id, endpoint.deployment, prediction.outputs, prediction.probabilities),
            features=endpoint.features if asked is not None else None,
            sampling=self._sample,
            error=str(exchange.error) if exchange.error is not None else None,
            labels=said.labels if said is not None else {},
            metrics=prediction.metrics if prediction is not None else {},
            arm=walk.arm if walk is not None else None,
            propensity=walk.propensity if walk is not None else None,
            key_hash=walk.key_hash if walk is not None else None,
            shadow_of=walk.shadow_of if walk is not None else None,
            nodes=walk.nodes if walk is not None else [],
            trace=exchange.trace,
            host=self._host,
            worker=self._worker,
        )


def _asked(exchange: Exchange) -> Request:
    """The rows as the model saw them; it saw none of what was refused."""
    asked = exchange.request
    if asked is None or (exchange.error is not None and not isinstance(exchange.error, ModelFailed)):
        return Request(exchange.id)
    return Request(exchange.id, asked.rows)


def _told(told: Feedback) -> Request:
    return Request(told.about, rows=told.rows, truth=told.truth, reward=told.reward)
