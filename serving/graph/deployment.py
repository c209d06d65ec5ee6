"""A deployment as a value: what a client addresses, and what runs behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

MODEL = "MODEL"


@dataclass(frozen=True)
class Node:
    """One step of a predictor's graph.

    `uri` says where the model lies, `sha256` which hash it must have ("" for any), `class_name` who runs it ("" to
    find out from the file), `version` how it is called ("" for the first digits of the model's own hash). `is_trusted`:
    whoever named it vouches for the code that its file may run.
    """

    name: str
    kind: str = MODEL
    uri: str = ""
    sha256: str = ""
    class_name: str = ""
    version: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    children: tuple["Node", ...] = ()
    is_trusted: bool = True


@dataclass(frozen=True)
class Predictor:
    """One of the ways in which a deployment can answer; `weight` is its share of the traffic in percent."""

    name: str
    graph: Node
    weight: int = 100


@dataclass(frozen=True)
class Deployment:
    """What a client addresses by `name`."""

    name: str
    predictors: tuple[Predictor, ...]
