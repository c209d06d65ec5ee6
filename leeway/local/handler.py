"""A function's code, loaded as Nuclio's Python wrapper loads it, with the SDK's own context."""

import asyncio
import http.client
import logging
import re
import sys
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import nuclio_sdk

from leeway.errors import PlatformError
from leeway.log_lines import formatter

from .home import Home, read_json

Ack = Callable[[dict[str, Any]], Awaitable[None]]


class LaptopPlatform(nuclio_sdk.Platform):
    """Nuclio's platform object; `call_function` finds other functions at the ports that the laptop gave them."""

    def __init__(self, home: Home, ack: Ack | None = None):
        super().__init__("local", "nuclio", http.client.HTTPConnection, ack)
        self._home = home

    def _get_function_url(self, function_name: str, service_name_override: str | None = None) -> str:
        return function_url(self._home, function_name, service_name_override)

    async def terminate(self) -> None:
        """Run the function's termination callback, if it set one."""
        result = self._on_signal("termination")
        if asyncio.iscoroutine(result):
            await result


class Handler:
    """A loaded function: its context and its entry point, `function`; `is_async` when that returns coroutines."""

    def __init__(self, module: str, function: str, context: nuclio_sdk.Context, mlrun_serving: bool):
        namespace = vars(_import(module))
        if mlrun_serving:
            _host_mlrun(namespace)
            function = "handler"
        if not callable(namespace.get(function)):
            raise PlatformError(f"module {module!r} has no {function!r}; set spec.handler to 'module:function'")
        self.function: Callable[[nuclio_sdk.Context, nuclio_sdk.Event], Any] = namespace[function]
        self.is_async = asyncio.iscoroutinefunction(self.function)
        self._context = context

    async def __call__(self, event: nuclio_sdk.Event) -> Any:
        """What the function returns, or raises."""
        output = self.begin(event)
        return await output if asyncio.iscoroutine(output) else output

    def begin(self, event: nuclio_sdk.Event) -> Any:
        """What the function returns, which may be a coroutine, or raises."""
        output = self.function(self._context, event)
        if asyncio.iscoroutine(output):
            self.is_async = True
        return output

    def failed(self, doing: str, exc: BaseException) -> str:
        """Log an exception of the function; the text of it that Nuclio also gives to the client."""
        text = f'{doing} - "{exc}": {"".join(traceback.format_exception(exc))}'
        self._context.logger.error(text)
        return text

    async def init(self) -> None:
        """Call init_context of the module that defines the handler, as the wrapper does."""
        init_context = getattr(sys.modules[self.function.__module__], "init_context", None)
        if init_context is not None:
            result = init_context(self._context)
            if asyncio.iscoroutine(result):
                await result


def function_url(home: Home, name: str, override: str | None = None) -> str:
    """host:port of another function of this home; PlatformError where it has none."""
    if override:
        return override
    for port in read_json(home.function(name).state, {}).get("open", ()):
        return f"127.0.0.1:{port}"
    known = ", ".join(function.path.name for function in home.deployed()) or "none"
    raise PlatformError(f"call_function: no function {name!r} with an http trigger; deployed: {known}")


def create_logger(function: str, worker: int) -> nuclio_sdk.Logger:
    """A logger on stdout, one line per message: JSON, or text where that is a terminal."""
    logger = nuclio_sdk.Logger(logging.DEBUG)
    logger.set_handler("default", sys.stdout, formatter(sys.stdout, function=function))
    logger.bind(worker_id=str(worker))
    return logger


def reason_of(exc: BaseException, doing: str, folder: Path) -> str:
    """One line: what failed, with the deepest place in the function's own code where it has one."""
    frames = [frame for frame in traceback.extract_tb(exc.__traceback__) if Path(frame.filename).is_relative_to(folder)]
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    text = re.sub(r"\s+", " ", str(exc)).strip()
    return f"{doing}: {type(exc).__name__}{': ' if text else ''}{text}{place}"


def _import(name: str) -> Any:
    """`__import__` and walk, as the wrapper does, so that a module name may hold a '-'."""
    module = __import__(name)
    for part in name.split(".")[1:]:
        module = getattr(module, part)
    return module


def _host_mlrun(namespace: dict[str, Any]) -> None:
    """What MLRun's server appends to the code of a `kind: serving` function; the only import of mlrun in a worker."""
    if "init_context" in namespace and "nuclio_init_hook" in namespace:
        return  # the footer is there already
    from mlrun.runtimes import nuclio_init_hook

    def init_context(context: nuclio_sdk.Context) -> None:
        nuclio_init_hook(context, namespace, "serving_v2")

    async def handler(context: nuclio_sdk.Context, event: nuclio_sdk.Event) -> Any:
        result = context.mlrun_handler(context, event)
        return await result if asyncio.iscoroutine(result) else result

    for function in (init_context, handler):
        function.__module__ = namespace["__name__"]
        namespace[function.__name__] = function
