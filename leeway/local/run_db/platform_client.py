"""The platform's REST, as the run DB needs it."""

import time
from pathlib import Path
from typing import Any

import requests

from leeway.errors import PlatformError
from leeway.local import platform
from leeway.settings import Settings

SETTLED = ("ready", "error", "unhealthy", "scaledToZero", "imported")
_TIMEOUT_S = 60.0
_POLL_S = 0.02


class PlatformClient:
    """Of one home. PlatformError where the platform does not start, or refuses."""

    def __init__(self, home: Path):
        self._settings = Settings(home=home)

    def put(self, document: dict[str, Any]) -> None:
        """Deploy it, when an earlier deploy of it has settled. Returns while it is being built."""
        name = document["metadata"]["name"]
        if self.settled(name, _TIMEOUT_S) is None:
            self._call("POST", "/api/functions", document)
        else:
            self._call("PUT", f"/api/functions/{name}", document)

    def settled(self, name: str, timeout_s: float) -> dict[str, Any] | None:
        """The function as soon as it is no longer being built, or as it is after `timeout_s`; None: there is none."""
        end = time.monotonic() + timeout_s
        while (found := self._call("GET", f"/api/functions/{name}")) is not None:
            if found["status"]["state"] in SETTLED or time.monotonic() > end:
                break
            time.sleep(_POLL_S)
        return found

    def deployed_in(self, project: str) -> list[str]:
        """Full names, from disk where no platform runs."""
        known = platform.status(self._settings)["functions"]
        return sorted(name for name, about in known.items() if about["project"] == project)

    def delete(self, name: str) -> None:
        self._call("DELETE", "/api/functions", {"metadata": {"name": name}})

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any] | None:
        url = platform.ensure(self._settings) + path
        answer = requests.request(method, url, json=body, timeout=_TIMEOUT_S)
        if answer.status_code == 404 and method == "GET":
            return None
        if not answer.ok:
            raise PlatformError(f"the platform refused: {_error(answer)} ({method} {path}: {answer.status_code})")
        return answer.json() if answer.content else {}


def _error(answer: requests.Response) -> str:
    try:
        return answer.json()["error"]
    except (ValueError, KeyError):
        return answer.text
