"""The record: what is kept of an answered request, and the values that are made from it. Schema 1.

A record is one JSON object per request, a superset of what MLRun's V2 model server writes. Everything here is
frozen. Encoding turns NaN and infinity into null; decoding accepts unknown fields and ignores them.
"""

from typing import Annotated, Any

import msgspec

from .html_table import html_table

SCHEMA = 1

# The values of `op`.
INFER, EXPLAIN, FEEDBACK, DECISION = "infer", "explain", "feedback", "decision"
OUTBOX_END = "outbox_end"
TOO_LARGE = "too_large"  # in the place of a record that the stream does not take; `error` says why

# What a 64-bit column can hold; a record with a larger number is none.
Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
# What is counted: sums of a thousand such numbers still fit.
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
# What names things in every store.
Name = Annotated[str, msgspec.Meta(max_length=500)]


class Origin(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Which outbox wrote a record (at most 500 characters), and its number there. Numbers go up to 2**53.

    `seq` counts the kept records of one stream key in one outbox: from 1, by one, never reused. `dropped` holds how
    many records of that key were dropped there so far, by reason. On `outbox_end`, `seq` is the last number used.
    """

    outbox: Name
    seq: Count
    dropped: dict[str, Count] = {}


class Request(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What was asked: `inputs` holds the rows as the model saw them. On feedback: whose prediction, and its truth.

    `rows` are indices into the rows of the prediction `id` that `truth` speaks of (all of them where it is None).
    """

    id: str = ""
    inputs: list[Any] = []
    rows: list[Whole] | None = None
    truth: list[Any] | None = None
    reward: float | list[float] | None = None


class Response(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What was answered: one output per row, and its class probabilities where the model has them."""

    id: str = ""
    model_name: str = ""
    outputs: list[Any] = []
    probabilities: list[list[float | None]] | None = None


class NodeAnswer(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What one node of a graph said; `microsec` is its duration."""

    name: str
    outputs: list[Any] = []
    microsec: Whole = 0
    error: str | None = None


class Record(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, rename={"class_": "class"}):
    """One request, its answer, and who gave it. `when` is the start (ISO 8601 UTC, microseconds), `microsec` the
    whole duration. `function_uri` is project/function; `endpoint_id` is the readable path
    project/function/deployment/predictor/node/version, at most 500 characters. The field meanings are those of
    docs/record.md.
    """

    schema: int
    id: str
    op: str
    when: str
    project: str
    function_uri: str
    deployment: str
    origin: Origin
    microsec: Whole = 0
    event_time: str | None = None
    endpoint_id: Name = ""
    model: str = ""
    version: str = ""
    class_: str = ""
    arm: str | None = None
    propensity: float | None = None
    key_hash: str | None = None
    shadow_of: str | None = None
    request: Request = Request()
    resp: Response = Response()
    features: list[str] | None = None
    nodes: list[NodeAnswer] = []
    sampling: Whole = 1
    decision: dict[str, Any] | None = None
    error: str | None = None
    labels: dict[str, str] = {}
    metrics: dict[str, Any] = {}
    trace: str | None = None
    host: str = ""
    worker: str = ""

    @property
    def stream_key(self) -> str:
        """project/function/deployment: what arms, shadows, feedback and decisions of a deployment share."""
        return f"{self.function_uri}/{self.deployment}"


class Position(msgspec.Struct, frozen=True, gc=False, order=True, array_like=True):
    """Where a record lies in a stream; a message may pack several records, hence `index`."""

    shard: int
    offset: int
    index: int = 0

    def __str__(self) -> str:
        return f"{self.shard}-{self.offset}-{self.index}"


class RowReference(msgspec.Struct, frozen=True, gc=False):
    """One row of one recorded request: the position of its record, the request's id, the row's index in it."""

    position: Position
    id: str
    row: int


class Verdict(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """What one detector said about one stretch of rows, in the vocabulary of MLRun's model monitoring.

    `id` derives from endpoint, detector, feature and `at`, the position of the record that completed the stretch;
    `appended` is that shard's clock there (whole epoch seconds). `kind` is one of MLRun's ResultKindApp names
    (data_drift, concept_drift, model_performance, system_performance, mm_app_anomaly), `status` one of its
    ResultStatusApp values (-1 irrelevant, 0 no detection, 1 potential detection, 2 detected). `rows` is how many rows
    it was computed from, `first` and `last` which ones. `features` orders what moved by evidence, strongest first.
    `details` is JSON: per-feature metrics, reference level, price, inflation and the like.
    """

    id: str
    endpoint: str
    detector: str
    kind: str
    status: int
    at: Position
    appended: int
    rows: int
    first: RowReference
    last: RowReference
    statistic: float
    threshold: float
    feature: str = ""
    features: list[str] = []
    details: dict[str, Any] = {}


class Incident(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Something to look at: one per (endpoint, detector, feature) at a time, opened by an alarm.

    `state` is open, cleared, confirmed or dismissed; `opened` is the verdict that opened it. Alarms of one window are
    one incident; `features` names what moved. `closed` is the position at which it stopped being open.
    """

    id: str
    endpoint: str
    detector: str
    kind: str
    state: str
    opened: Verdict
    feature: str = ""
    features: list[str] = []
    closed: Position | None = None
    note: str = ""

    def _repr_html_(self) -> str:
        verdict = self.opened
        rows = [
            ("state", self.state),
            ("endpoint", self.endpoint),
            ("kind", self.kind),
            ("what moved, strongest first", ", ".join(self.features) or self.feature or "the error rate"),
            ("rows", f"{verdict.rows:,}, from {verdict.first.id} to {verdict.last.id}"),
            *([("note", self.note)] if self.note else []),
        ]
        return html_table(f"{self.detector}: {self.state}", rows)


def is_test(labels: dict[str, str]) -> bool:
    """Whether these labels mark a record `purpose: test`: recorded and archived, never fed to detectors."""
    return labels.get("purpose") == "test"


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Record)

encode = _encoder.encode


def decode(data: bytes) -> Record:
    """A record of schema 1 from its JSON; msgspec.DecodeError or msgspec.ValidationError where it is none."""
    return _decoder.decode(data)
