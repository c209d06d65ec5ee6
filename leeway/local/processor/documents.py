"""The two files that a Nuclio processor reads, as values."""

from collections.abc import Mapping
from typing import Any

from leeway.settings import Settings

from ..function_spec import PROJECT_LABEL, FunctionSpec, Trigger
from ..triggers.cron import next_tick
from ..triggers.http import MAX_BODY, READ_BUFFER
from .kafka_trigger import kafka_trigger

ENTRY = "leeway_entry"


def processor_yaml(
    spec: FunctionSpec, triggers: tuple[Trigger, ...], ports: Mapping[str, int], settings: Settings
) -> dict[str, Any]:
    """Of a function's triggers those that are given; `ports` by the name of an http trigger."""
    return {
        "metadata": {"name": spec.name, "namespace": "nuclio", "labels": {PROJECT_LABEL: spec.project}},
        "spec": {
            "runtime": "python:3.11",
            "handler": f"{ENTRY}:handler",
            "loggerSinks": [{"level": "info"}],
            "eventTimeout": spec.event_timeout,
            "triggers": {trigger.name: _trigger(trigger, spec.name, ports, settings) for trigger in triggers},
        },
    }


def platform_yaml(health_port: int) -> dict[str, Any]:
    """Without it the processor listens on two ports of all interfaces."""
    return {
        "webAdmin": {"enabled": False},
        "healthCheck": {"enabled": True, "listenAddress": f"127.0.0.1:{health_port}"},
        "logger": {
            "sinks": {"stdout": {"kind": "stdout"}},
            "system": [{"level": "info", "sink": "stdout"}],
            "functions": [{"level": "info", "sink": "stdout"}],
        },
    }


def _trigger(trigger: Trigger, name: str, ports: Mapping[str, int], settings: Settings) -> dict[str, Any]:
    common = {
        "numWorkers": trigger.workers,
        "workerAvailabilityTimeoutMilliseconds": round(trigger.availability_timeout_s * 1000),
        "workerTerminationTimeout": f"{trigger.termination_s:g}s",
    }
    if trigger.kind == "stream":
        return {**common, **kafka_trigger(trigger, name, settings)}
    if trigger.kind == "cron":
        next_tick(trigger)  # refused in the same words on every engine
        return {**common, "kind": "cron", "attributes": dict(trigger.attributes)}
    given = {key: value for key, value in trigger.attributes.items() if key != "port"}
    return {
        **common,
        "kind": "http",
        "url": f"127.0.0.1:{ports[trigger.name]}",
        "attributes": {"maxRequestBodySize": MAX_BODY, "readBufferSize": READ_BUFFER, **given},
    }
