"""A deployment as a value: what a client addresses, and what runs behind it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from leeway.html_table import html_table

MODEL, ROUTER, COMBINER = "MODEL", "ROUTER", "COMBINER"
TRANSFORMER, OUTPUT_TRANSFORMER = "TRANSFORMER", "OUTPUT_TRANSFORMER"
KINDS = (MODEL, ROUTER, COMBINER, TRANSFORMER, OUTPUT_TRANSFORMER)

# What a node can be asked to do, in Seldon's words.
TRANSFORM_INPUT, TRANSFORM_OUTPUT = "TRANSFORM_INPUT", "TRANSFORM_OUTPUT"
ROUTE, AGGREGATE, SEND_FEEDBACK = "ROUTE", "AGGREGATE", "SEND_FEEDBACK"
METHODS = (TRANSFORM_INPUT, TRANSFORM_OUTPUT, ROUTE, AGGREGATE, SEND_FEEDBACK)
_OF_KIND = {
    MODEL: (TRANSFORM_INPUT, SEND_FEEDBACK),
    ROUTER: (ROUTE, SEND_FEEDBACK),
    COMBINER: (AGGREGATE,),
    TRANSFORMER: (TRANSFORM_INPUT,),
    OUTPUT_TRANSFORMER: (TRANSFORM_OUTPUT,),
}

# A Python class of the user's, with the methods of Seldon's components; and a model that the host brought along.
COMPONENT, HOSTED = "COMPONENT", "HOSTED"


@dataclass(frozen=True)
class Node:
    """One step of a predictor's graph.

    `kind` is one of KINDS, "" where `methods` say what it does. `uri` says where the model lies, `sha256` which hash it
    must have ("" for any), `class_name` who runs it ("" to find out from the file), `version` how it is called ("" for
    the first digits of the model's own hash). `implementation` names one of serving/policies, COMPONENT, HOSTED, or
    the server that a model was written for ("" for a model). `timeout_s` is how long it may take, None for as long as
    it takes. `is_trusted`: whoever named it vouches for the code that its file may run.
    """

    name: str
    kind: str = MODEL
    uri: str = ""
    sha256: str = ""
    class_name: str = ""
    version: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    children: tuple["Node", ...] = ()
    implementation: str = ""
    methods: tuple[str, ...] = ()
    timeout_s: float | None = None
    is_trusted: bool = True

    @property
    def does(self) -> tuple[str, ...]:
        """Which of METHODS it is asked for."""
        return (*_OF_KIND.get(self.kind, ()), *self.methods)

    def walk(self) -> Iterator["Node"]:
        """Itself and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Predictor:
    """One of the ways in which a deployment can answer; `weight` is its share of the traffic in percent.

    A shadow is asked what the others are, and never answers. `explainer` is the type of one that was asked for.
    """

    name: str
    graph: Node
    weight: int = 100
    is_shadow: bool = False
    explainer: str = ""


@dataclass(frozen=True)
class Deployment:
    """What a client addresses by `name`.

    `seed` fixes the draws of its splits and routers (None: every worker draws its own); `sticky` names the header whose
    value decides which predictor answers, "" where chance does.
    """

    name: str
    predictors: tuple[Predictor, ...]
    seed: int | None = None
    sticky: str = ""

    @property
    def live(self) -> tuple[Predictor, ...]:
        """The predictors that answer."""
        return tuple(each for each in self.predictors if not each.is_shadow)

    @property
    def shares(self) -> dict[str, int]:
        """The traffic of each of them in percent, as it is declared."""
        return {each.name: each.weight for each in self.live}

    @property
    def is_one_model(self) -> bool:
        """Whether there is nothing to choose, to combine or to wait for."""
        node = self.predictors[0].graph
        return (
            len(self.predictors) == 1
            and node.kind == MODEL
            and not (node.children or node.methods or node.parameters.get("method") or node.timeout_s)
            and node.implementation in ("", *SERVERS)
        )

    def _repr_html_(self) -> str:
        rows = []
        for each in self.predictors:
            nodes = ", ".join(f"{node.name} ({node.kind or '/'.join(node.methods)})" for node in each.graph.walk())
            rows.append((each.name, f"{each.weight} %{', shadow' if each.is_shadow else ''}", nodes))
        return html_table(self.name, rows, ("predictor", "traffic", "nodes"))


# Seldon's names for servers of models: what the file holds says which of ours runs it.
SERVERS = ("SKLEARN_SERVER", "XGBOOST_SERVER", "LIGHTGBM_SERVER", "MLFLOW_SERVER", "ONNX_SERVER")
