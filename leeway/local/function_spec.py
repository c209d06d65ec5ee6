"""A Nuclio function document, read: what the laptop runs of it."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from leeway.errors import PlatformError

from .cron_schedule import duration_s

PROJECT_LABEL = "nuclio.io/project-name"
STREAM_FROM = "leeway/stream-from"
MLRUN_KIND = "leeway/mlrun-kind"

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_HANDLER = re.compile(r"([\w|-]+(?:\.[\w|-]+)*):(\w+)")
_STREAMS = {"v3ioStream", "v3io-stream", "stream"}
_KAFKA = {"kafka", "kafka-cluster"}


@dataclass(frozen=True)
class Trigger:
    """One trigger. `kind` is http, stream or cron; `configured` is what the document calls it."""

    name: str
    kind: str
    configured: str
    workers: int = 1
    attributes: Mapping[str, Any] = field(default_factory=dict)
    explicit_ack: str = "disable"
    availability_timeout_s: float = 10.0
    termination_s: float = 3.0


@dataclass(frozen=True)
class FunctionSpec:
    """What there is to run. Either `source` (bytes of one module) or `path` (a file or a folder) is given."""

    name: str
    project: str
    module: str
    function: str
    source: bytes | None
    path: Path | None
    env: Mapping[str, str]
    triggers: tuple[Trigger, ...]
    commands: tuple[str, ...]
    requirements: tuple[str, ...]
    mlrun_serving: bool
    event_timeout: str = ""

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "FunctionSpec":
        """From {metadata, spec}; PlatformError says what the laptop cannot run, and what to do."""
        metadata, spec = document.get("metadata") or {}, document.get("spec") or {}
        name = check_name(metadata.get("name"))
        annotations, build = metadata.get("annotations") or {}, spec.get("build") or {}
        _check_runtime(name, spec.get("runtime") or "python")
        env = _env(name, spec)
        source, path = _code(name, spec, build)
        module, function = _handler(name, spec.get("handler") or "", path)
        return cls(
            name=name,
            project=(metadata.get("labels") or {}).get(PROJECT_LABEL) or "default",
            module=module,
            function=function,
            source=source,
            path=path,
            env=env,
            triggers=_triggers(name, spec.get("triggers") or {}, annotations, env),
            commands=tuple(build.get("commands") or ()),
            requirements=tuple(build.get("requirements") or ()),
            mlrun_serving=annotations.get(MLRUN_KIND) == "serving",
            event_timeout=str(spec.get("eventTimeout") or ""),
        )


def check_name(name: Any) -> str:
    """A Kubernetes name, as Nuclio asks for; it becomes a folder's name here."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise PlatformError(
            f"metadata.name {name!r} is not a function name: at most 63 of a-z, 0-9 and '-', "
            "with a letter or digit first and last"
        )
    return name


def left_out(document: Mapping[str, Any]) -> list[str]:
    """What the document asks for that Leeway's own workers leave out without harm to the rest."""
    spec = document.get("spec") or {}
    asked = [f"eventTimeout {spec['eventTimeout']!r}"] if spec.get("eventTimeout") else []
    for name, trigger in (spec.get("triggers") or {}).items():
        if ((trigger.get("attributes") or {}).get("cors") or {}).get("enabled"):
            asked.append(f"CORS (trigger {name!r})")
        if (trigger.get("batch") or {}).get("mode") == "enable":
            asked.append(f"batching (trigger {name!r})")
    return asked


def _check_runtime(name: str, runtime: str) -> None:
    if runtime.partition(":")[0] != "python":
        raise PlatformError(f"function {name}: runtime {runtime!r} cannot run on the laptop; it runs 'python' only")


def _env(name: str, spec: Mapping[str, Any]) -> dict[str, str]:
    env = {}
    for entry in spec.get("env") or ():
        if entry.get("valueFrom"):
            raise PlatformError(
                f"function {name}: {entry.get('name')} comes from a Kubernetes secret or field, which the laptop does "
                "not have; give its value in spec.env"
            )
        env[str(entry["name"])] = "" if entry.get("value") is None else str(entry["value"])
    return env


def _code(name: str, spec: Mapping[str, Any], build: Mapping[str, Any]) -> tuple[bytes | None, Path | None]:
    if build.get("functionSourceCode"):
        try:
            return base64.b64decode(build["functionSourceCode"], validate=True), None
        except (binascii.Error, ValueError) as exc:
            raise PlatformError(f"function {name}: build.functionSourceCode is not base64 ({exc})") from None
    path = build.get("path") or ""
    if not path:
        raise PlatformError(
            f"function {name}: no code; give build.functionSourceCode (base64) or build.path (a local file or folder)"
            + (f"; the image {spec['image']!r} cannot run without containers" if spec.get("image") else "")
        )
    if "://" in path or build.get("codeEntryType") not in (None, "", "sourceCode"):
        raise PlatformError(f"function {name}: code at {path!r} is not on this machine; give a local file or folder")
    if not Path(path).exists():
        raise PlatformError(f"function {name}: build.path {path!r} is not there; give an absolute path that exists")
    return None, Path(path).absolute()


def _handler(name: str, handler: str, path: Path | None) -> tuple[str, str]:
    if not handler:
        return (path.stem if path and path.is_file() else "main"), "handler"
    found = _HANDLER.fullmatch(handler)
    if not found:
        raise PlatformError(f"function {name}: handler {handler!r} is not of the form 'module:function'")
    return found[1], found[2]


def _triggers(
    name: str, given: Mapping[str, Any], annotations: Mapping[str, str], env: Mapping[str, str]
) -> tuple[Trigger, ...]:
    triggers = [_trigger(name, key, config) for key, config in given.items() if not config.get("disabled")]
    if STREAM_FROM in annotations and not any(trigger.kind == "stream" for trigger in triggers):
        triggers.append(_stream_from(name, annotations[STREAM_FROM], env))
    return tuple(triggers) or (Trigger("default-http", "http", "http"),)


def _trigger(name: str, key: str, config: Mapping[str, Any]) -> Trigger:
    configured, attributes = config.get("kind") or "", dict(config.get("attributes") or {})
    timeout_ms, ending = config.get("workerAvailabilityTimeoutMilliseconds"), config.get("workerTerminationTimeout")
    if configured in _STREAMS and "url" not in attributes:
        parts = (str(attributes.get(part) or "").strip("/") for part in ("containerName", "streamPath"))
        attributes["url"] = "/".join(part for part in parts if part)
    if configured in _KAFKA:
        attributes |= {"url": _topic(name, key, attributes), "seekTo": attributes.get("initialOffset")}
    return Trigger(
        name=check_name(key.lower().replace("_", "-")),
        kind=_kind(name, key, configured),
        configured=configured,
        workers=1 if configured == "cron" else _workers(name, key, config),
        attributes=attributes,
        explicit_ack=config.get("explicitAckMode") or "disable",
        availability_timeout_s=(10_000 if timeout_ms is None else timeout_ms) / 1000,
        termination_s=duration_s(str(ending)) if ending else Trigger.termination_s,
    )


def _kind(name: str, key: str, configured: str) -> str:
    if configured in ("http", "cron"):
        return configured
    if configured in _STREAMS | _KAFKA:
        return "stream"
    raise PlatformError(
        f"function {name}: trigger {key!r} is of kind {configured!r}, which the laptop cannot run: "
        "it has http, cron, v3ioStream and kafka-cluster"
    )


def _topic(name: str, key: str, attributes: Mapping[str, Any]) -> str:
    """The stream's URL. One topic to a trigger, and secrets do not belong into a spec."""
    topics, brokers = (
        [each] if isinstance(each, str) else list(each or ()) for each in map(attributes.get, ("topics", "brokers"))
    )
    if len(topics) != 1 or not brokers:
        raise PlatformError(
            f"function {name}: trigger {key!r} reads topics {topics} of brokers {brokers}; give one topic (a trigger "
            "for each) and at least one host:port"
        )
    if any((attributes.get(part) or {}).get("enable") for part in ("sasl", "tls")):
        raise PlatformError(
            f"function {name}: trigger {key!r} has sasl or tls in its attributes, where everybody can read them; "
            "set LEEWAY_KAFKA_OPTIONS in the function's environment instead"
        )
    return f"kafka://{','.join(brokers)}/{topics[0]}"


def _workers(name: str, key: str, config: Mapping[str, Any]) -> int:
    count = config.get("numWorkers") or config.get("maxWorkers") or 1
    if not isinstance(count, int) or not 1 <= count <= 256:
        raise PlatformError(f"function {name}: trigger {key!r} wants {count!r} workers; give a number from 1 to 256")
    return count


def _stream_from(name: str, variable: str, env: Mapping[str, str]) -> Trigger:
    if not env.get(variable):
        raise PlatformError(
            f"function {name} reads the stream that {variable} names, but {variable} is not set; "
            f'set it, for example fn.set_envs({{"{variable}": "users/admin/elec"}})'
        )
    return Trigger("stream", "stream", "v3ioStream", attributes={"url": env[variable]}, explicit_ack="explicitOnly")
