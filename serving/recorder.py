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
from .types import Exchange, Operation, Walk

# endpoint id, operation, whether there is no request that could be read
Kind = tuple[str, str, bool]

_OP = {Operation.INFER: INFER, Operation.EXPLAIN: EXPLAIN, Operation.FEEDBACK: FEEDBACK}
_NO_RESPONSE, _NOTHING = Response(), {}
_FEEDBACK = Operation.FEEDBACK
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
        self._clock = _WrittenTime()
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
        if exchange.operation is _FEEDBACK and exchange.feedback is None:
            return
        if self._sample == 1 or self.keeps(exchange):
            kind = exchange.endpoint.id, exchange.operation._value_, exchange.request is None
            key, writer = self._kinds.get(kind) or self._kind(kind, exchange)
            said = self._answered if exchange.feedback is None else self._told
            self.outlet.append(key, lambda origin: writer.write(said(exchange, origin)), self._ack_s)

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

    def _answered(self, exchange: Exchange, origin: Origin) -> Said:
        asked, answer, error = exchange.request, exchange.response, exchange.error
        if asked is None or (error is not None and not isinstance(error, ModelFailed)):
            request = Request(exchange.id)  # the model saw no rows of what was refused
        else:
            rows, privacy = asked.rows, self._privacy
            request = Request(exchange.id, privacy.rows(rows, exchange.endpoint.features) if privacy.is_on else rows)
        resp, metrics = _NO_RESPONSE, _NOTHING
        if answer is not None:
            found = answer.prediction
            resp = Response(exchange.id, exchange.deployment, found.outputs, found.probabilities)
            metrics = found.metrics
        plain = Said(
            exchange.id,
            self._clock.text(exchange.when),
            origin,
            exchange.microsec,
            request,
            resp,
            asked.event_time if asked is not None else None,
            self._privacy.words(error) if error is not None else None,
            asked.labels if asked is not None else _NOTHING,
            metrics,
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

    def _told(self, exchange: Exchange, origin: Origin) -> Said:
        told, error = exchange.feedback, exchange.error
        plain = Said(
            exchange.id,
            self._clock.text(exchange.when),
            origin,
            exchange.microsec,
            Request(told.about, rows=told.rows, truth=told.truth, reward=told.reward),
            event_time=told.event_time,
            error=self._privacy.words(error) if error is not None else None,
            labels=told.labels,
            trace=exchange.trace,
        )
        return plain if exchange.walk is None else self._of_graph(plain, exchange.walk)


class _WrittenTime:
    """Moments as ISO 8601 text in UTC, to the microsecond; those of one second share what is the same."""

    def __init__(self) -> None:
        self._latest = -1, ""

    def text(self, moment: float) -> str:
        second = int(moment)
        known, begin = self._latest
        if second != known:
            begin = datetime.fromtimestamp(second, UTC).isoformat().removesuffix("+00:00")
            self._latest = second, begin
        return f"{begin}.{int((moment - second) * 1e6):06d}+00:00"
