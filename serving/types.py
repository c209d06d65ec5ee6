"""What passes between the host, the protocols, the data plane and those who watch. All of it is frozen."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from leeway.record import NodeAnswer

from .errors import ServingError


class Operation(StrEnum):
    """What a path asks for."""

    INFER = "infer"
    EXPLAIN = "explain"
    FEEDBACK = "feedback"
    METRICS = "metrics"
    SERVER = "server"
    LIVE = "live"
    READY = "ready"
    MODELS = "models"
    MODEL = "model"
    MODEL_READY = "model_ready"
    GRAPH = "graph"
    INDEX = "index"
    LOAD = "load"
    UNLOAD = "unload"
    DOCUMENT = "document"


class HttpRequest(msgspec.Struct, frozen=True, gc=False):
    """A request as any host hands it over. `headers` have lower-case names; `body` is bytes, or what the host has
    decoded already."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any = b""

    def __getitem__(self, header: str) -> str:
        """A header by its lower-case name, "" where it is absent."""
        return self.headers.get(header, "")


class Content(msgspec.Struct, frozen=True, gc=False):
    """The body of an answer that is no JSON, with the headers that go with it."""

    body: bytes
    content_type: str
    headers: dict[str, str] = {}


class HttpAnswer(msgspec.Struct, frozen=True, gc=False):
    """What any host sends back."""

    status: int
    body: bytes
    headers: dict[str, str]
    content_type: str = "application/json"


class Route(msgspec.Struct, frozen=True, gc=False):
    """Where a path leads: an operation, the methods it is there for, and of whom it is asked.

    `version` is "" for any, `node` for the whole of the deployment.
    """

    operation: Operation
    methods: tuple[str, ...]
    deployment: str = ""
    version: str = ""
    node: str = ""


class InferenceRequest(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a model is asked, whatever the protocol. `rows` is not empty; `body` is the decoded body, for classes of
    the user's that expect it; `tags` are Seldon's, which travel with the rows."""

    id: str
    rows: list[Any]
    operation: Operation = Operation.INFER
    names: list[str] | None = None
    event_time: str | None = None
    labels: dict[str, str] = {}
    body: Mapping[str, Any] = {}
    form: Any = None
    tags: dict[str, Any] = {}


class Prediction(msgspec.Struct, frozen=True, gc=False):
    """What a model says: one output per row as plain JSON values; of known classifiers also `probabilities`, shape
    (rows, classes), and the `classes` that its columns stand for, where they are known."""

    outputs: list[Any]
    probabilities: list[list[float]] | None = None
    metrics: dict[str, Any] = {}
    classes: list[Any] | None = None


class Endpoint(msgspec.Struct, frozen=True, gc=False):
    """Who answers. `id` is project/function/deployment/predictor/node/version, `class_name` what kind of model it is,
    `features` its columns where they are known."""

    id: str
    deployment: str
    node: str
    version: str
    class_name: str
    features: list[str] | None = None


class Walk(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The way of a request through a graph: who answered, what each node said, and which branches were chosen.

    `arm` names the choices, predictor first, separated by slashes (None: there was none to make), `propensity` is the
    probability with which they were made (None: not known), `key_hash` the hash of the sticky key that made the first.
    A shadow's says in `shadow_of` which predictor answered. `routing`, `path`, `tags` and `metrics` are Seldon's meta;
    `names` are those of the outputs' columns.
    """

    endpoint: Endpoint
    arm: str | None = None
    propensity: float | None = None
    key_hash: str | None = None
    shadow_of: str | None = None
    nodes: list[NodeAnswer] = []
    routing: dict[str, int] = {}
    path: dict[str, str] = {}
    tags: dict[str, Any] = {}
    metrics: list[dict[str, Any]] = []
    names: list[str] | None = None


class InferenceResponse(msgspec.Struct, frozen=True, gc=False):
    """What goes back, before a protocol puts it into its own words. `walk` is there where a graph answered."""

    id: str
    endpoint: Endpoint
    prediction: Prediction
    when: float
    walk: Walk | None = None


class Feedback(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What came out later. `about` is the id of the request that it speaks of, `rows` which of its rows (all where it
    is None); it holds `truth`, or a `reward`. `routing` is the choice of each node as the caller tells it back, `asked`
    the request's rows with the `names` of their columns, where it repeats them."""

    id: str
    about: str
    rows: list[int] | None = None
    truth: list[Any] | None = None
    reward: float | list[float] | None = None
    event_time: str | None = None
    labels: dict[str, str] = {}
    routing: dict[str, int] = {}
    asked: list[Any] | None = None
    names: list[str] | None = None


class About(msgspec.Struct, frozen=True, gc=False):
    """What is known of what is served under one name. `features` and `outputs` are names and types where they are
    known; `engine` is what it runs on, and `engine_reason` says why; `warnings` are what was noticed at loading, which
    took `load_s`. A graph has `nodes`, and Seldon's name of the whole is its `predictor`'s."""

    name: str
    version: str
    class_name: str
    endpoint_id: str
    sha256: str
    features: list[dict[str, Any]] = []
    outputs: list[dict[str, Any]] = []
    engine: str = "native"
    engine_reason: str = ""
    warnings: list[str] = []
    is_ready: bool = True
    predictor: str = "default"
    nodes: list["About"] = []
    load_s: float = 0.0


class Exchange(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A request to a deployment and what became of it, for those who watch. `when` is its start (epoch seconds),
    `microsec` its whole duration. `endpoint` is who answered, or would have; `walk` is there where a graph did."""

    id: str
    operation: Operation
    deployment: str
    endpoint: Endpoint
    when: float
    microsec: int
    status: int
    request: InferenceRequest | None = None
    response: InferenceResponse | None = None
    feedback: Feedback | None = None
    error: ServingError | None = None
    trace: str | None = None
    walk: Walk | None = None
