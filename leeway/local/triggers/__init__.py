"""What sends events to a handler. Each kind is imported only by the workers that need it."""

import socket
from importlib import import_module
from typing import Any

import nuclio_sdk

from ..function_spec import FunctionSpec, Trigger
from ..launch import Launch
from .base import BaseTrigger


def create(
    trigger: Trigger, spec: FunctionSpec, launch: Launch, listener: socket.socket | None, logger: nuclio_sdk.Logger
) -> BaseTrigger:
    """The running side of a trigger."""
    module: Any = import_module(f".{trigger.kind}", __package__)
    return module.create(trigger, spec, launch, listener, logger)
