"""From an exchange to a record in the outbox, before the answer leaves."""

import logging
import socket
import zlib
from datetime import UTC, datetime

import msgspec

from leeway.backends import connect
from leeway.clock import SystemClock
from leeway.forwarder import Forwarder
from leeway.outbox import Outbox
from leeway.privacy import Privacy
from leeway.record import EXPLAIN, FEEDBACK, INFER, SCHEMA, NodeAnswer, Origin, Record, Request, Response
from leeway.record_writer import RecordWriter, Said
from leeway.settings import Settings

from .errors import ModelFailed
from .outlet import Outlet
from .settings import ServingSettings
from .types import Exchange, Feedback, Operation, Walk

# endpoint id, operation, whether there is no request that could be read
Kind = tuple[str, str, bool]

_OP = {Operation.INFER: INFER, Operation.EXPLAIN: EXPLAIN, Operation.FEEDBACK: FEEDBACK}
_NO_RESPONSE = Response()
_CLOSE_S = 5.0
_FAILED = "failed"  # what a node's error is, where its words may name a value
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
        self._kinds: dict[Kind, tuple[str, RecordWriter]] = {}

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
        if self._sample == 1 or self.keeps(exchange):
            kind = exchange.endpoint.id, exchange.operation._value_, exchange.request is None
            key, writer = self._kinds.get(kind) or self._kind(kind, exchange)
            self.outlet.append(key, lambda origin: writer.write(self._said(exchange, origin)), self._ack_s)

    def keeps(self, exchange: Exchange) -> bool:
        """Alike for a prediction and the feedback that speaks of it; feedback of no request is always kept."""
        id = exchange.feedback.about if exchange.feedback is not None else exchange.id
        return not id or zlib.crc32(id.encode()) % self._sample == 0

    def close(self) -> bool:
        """Send the rest; False: some of it stays on disk, for another worker to send."""
        return self.outlet.close(_CLOSE_S)

    def _kind(self, kind: Kind, exchange: Exchange) -> tuple[str, RecordWriter]:
        """The stream key, and what writes records that are like this one."""
        endpoint, is_told = exchange.endpoint, exchange.feedback is not None
        like = Record(
            schema=SCHEMA,
            id="",
            op=_OP[exchange.operation],
            when="",
            project=self._project,
            function_uri=self._function_uri,
            deployment=exchange.deployment,
            endpoint_id="" if is_told else endpoint.id,
            model=endpoint.node,
            version=endpoint.version,
            class_=endpoint.class_name,
            origin=Origin("", 0),
            features=endpoint.features if exchange.request is not None else None,
            sampling=self._sample,
            host=self._host,
            worker=self._worker,
        )
        return self._kinds.setdefault(kind, (like.stream_key, RecordWriter(like)))

    def _said(self, exchange: Exchange, origin: Origin) -> Said:
        asked, answer, told = exchange.request, exchange.response, exchange.feedback
        said = told or asked
        prediction = answer.prediction if answer is not None else None
        plain = Said(
            exchange.id,
            datetime.fromtimestamp(exchange.when, UTC).isoformat(timespec="microseconds"),
            origin,
            exchange.microsec,
            self._asked(exchange) if told is None else _told(told),
            _NO_RESPONSE
            if prediction is None
            else Response(exchange.id, exchange.deployment, prediction.outputs, prediction.probabilities),
            said.event_time if said is not None else None,
            self._privacy.words(exchange.error),
            said.labels if said is not None else {},
            prediction.metrics if prediction is not None else {},
            exchange.trace,
        )
        return plain if exchange.walk is None else self._of_graph(plain, exchange.walk)

    def _of_graph(self, said: Said, walk: Walk) -> Said:
        """With the choices, and what each node said; that is rows again, so privacy leaves nothing of it."""
        nodes = walk.nodes
        if self._privacy.is_on:
            nodes = [NodeAnswer(each.name, [], each.microsec, each.error and _FAILED) for each in nodes]
        return msgspec.structs.replace(
            said, arm=walk.arm, propensity=walk.propensity, key_hash=walk.key_hash, shadow_of=walk.shadow_of,
            nodes=nodes,
        )  # fmt: skip

    def _asked(self, exchange: Exchange) -> Request:
        """The rows as the model saw them; it saw none of what was refused."""
        asked = exchange.request
        if asked is None or (exchange.error is not None and not isinstance(exchange.error, ModelFailed)):
            return Request(exchange.id)
        return Request(exchange.id, self._privacy.rows(asked.rows, exchange.endpoint.features))


def _told(told: Feedback) -> Request:
    return Request(told.about, rows=told.rows, truth=told.truth, reward=told.reward)
