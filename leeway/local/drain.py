"""What the workers of a function that was stopped left behind in its outboxes, sent on."""

import threading
import time
from collections.abc import Mapping
from typing import Any

from leeway.errors import LeewayError, StoreError
from leeway.settings import Settings

from .environment import environment
from .function_spec import FunctionSpec
from .home import Home

DRAIN_S = 10.0


def drain(home: Home, document: Mapping[str, Any], environ: Mapping[str, str], seconds: float = DRAIN_S) -> str:
    """Send on what dead workers of the function of a document left, for at most so long. Why some of it stays, "" where
    nothing does: it is sent when the function is deployed again. `environ` is the platform's own."""
    said: list[str] = []
    thread = threading.Thread(target=lambda: said.append(_drain(home, document, environ, seconds)), daemon=True)
    thread.start()
    thread.join(seconds + 1)  # a stream that hangs is left to hang
    return said[0] if said else "the stream did not answer in time"


def _drain(home: Home, document: Mapping[str, Any], environ: Mapping[str, str], seconds: float) -> str:
    from leeway.backends import connect
    from leeway.forwarder import adopt, outboxes

    end = time.monotonic() + seconds

    def check() -> None:
        if time.monotonic() > end:
            raise StoreError(f"the stream did not take it in {seconds:g} s")

    try:
        spec = FunctionSpec.read(document)
        env = environment(spec, home, environ)
        project, stream = env["MLRUN_DEFAULT_PROJECT"], env.get("INFERENCE_STREAM", "")
        folder = home.path / "outbox" / project / spec.name.removeprefix(f"{project}-")
        if not stream or not outboxes(folder):
            return ""
        opened = connect.stream(stream, Settings.read(env))
        try:
            adopt(folder, opened, between=check)
        finally:
            opened.close()
    except (LeewayError, OSError) as error:
        return str(error)
    left = len(outboxes(folder))
    return f"{left} outboxes in {folder} cannot be read, or somebody has them" if left else ""
