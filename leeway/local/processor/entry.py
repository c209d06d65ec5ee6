"""What Nuclio's Python wrapper loads in place of a function: the function, and an answer to the platform's probe."""

import os
import sys
from pathlib import Path
from typing import Any

import nuclio_sdk

from ..handler import Handler, function_url, reason_of
from ..home import Home

FAILED = "leeway: not started: "


class Entry:
    """`folder` goes on the path; a request for `probe`, which nobody else can know, proves that this process, and not
    whoever has its port, answers. `tmpdir` is the variable TMPDIR as it was: the processor has a folder of its own for
    its sockets, which it never removes."""

    def __init__(
        self, module: str, function: str, folder: str, mlrun_serving: bool, probe: str, home: str, tmpdir: str | None
    ):
        self._module, self._function, self._mlrun_serving = module, function, mlrun_serving
        self._folder, self._probe, self._home = Path(folder), probe, Home(Path(home))
        os.environ.pop("TMPDIR", None)
        if tmpdir is not None:
            os.environ["TMPDIR"] = tmpdir
        sys.path.insert(0, folder)

    async def init_context(self, context: nuclio_sdk.Context) -> None:
        """Load the function. Why it cannot be is said on one line of stderr, for the platform to find."""
        context.platform._get_function_url = lambda name, override=None: function_url(self._home, name, override)
        step = f"import of {self._module}"
        try:
            handler = Handler(self._module, self._function, context, self._mlrun_serving)
            step = "init_context raised"
            await handler.init()
        except BaseException as exc:
            print(FAILED + reason_of(exc, step, self._folder), file=sys.stderr, flush=True)
            raise
        self._handle = handler.function

    def handle(self, context: nuclio_sdk.Context, event: nuclio_sdk.Event) -> Any:
        """What the function returns; a coroutine where it is one."""
        if event.path == self._probe:
            return self._probe
        return self._handle(context, event)
