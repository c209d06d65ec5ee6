"""The dashboard of a home: found where it runs, deployed from the hub where it was never."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import yaml

from leeway.errors import PlatformError
from leeway.settings import Settings

from . import platform
from .function_spec import PROJECT_LABEL
from .hub import CHANNEL, hub_folder

NAME, _PROJECT = "dashboard", "leeway"
_PATIENCE_S = 60.0


def ensure_pages(settings: Settings) -> str:
    """The dashboard's URL; deploys it from the hub where no function of the home is one. The platform runs already.

    PlatformError where it cannot be deployed: it says why.
    """
    if (url := find_pages(settings)) is None:
        _deploy(settings)
        url = find_pages(settings)
    if url is None:
        raise PlatformError(f"the dashboard was deployed and has no address: `leeway logs {_PROJECT}-{NAME}` says more")
    return url


def find_pages(settings: Settings) -> str | None:
    """The URL of the first function that is called dashboard, or <project>-dashboard; None where none has one."""
    for name, about in sorted(platform.status(settings)["functions"].items()):
        if name == NAME or name.endswith(f"-{NAME}"):
            return next((f"{address}/" for address in about["addresses"]), None)
    return None


def _deploy(settings: Settings) -> None:
    path = hub_folder() / "functions" / CHANNEL / NAME / "latest" / "src" / "function.yaml"
    document: dict[str, Any] = yaml.safe_load(path.read_text())["spec"]["base_spec"]
    document["metadata"] |= {"name": f"{_PROJECT}-{NAME}", "labels": {PROJECT_LABEL: _PROJECT}}
    connection = http.client.HTTPConnection(urlsplit(platform.ensure(settings)).netloc, timeout=_PATIENCE_S)
    headers = {"content-type": "application/json", "x-nuclio-wait-function-action": "true"}
    try:
        connection.request("POST", "/api/functions", json.dumps(document), headers)
        answer = connection.getresponse()
        said = answer.read().decode(errors="replace")
    except OSError as error:
        raise PlatformError(f"the platform did not deploy the dashboard: {error}") from None
    finally:
        connection.close()
    if answer.status != 202:
        raise PlatformError(f"the platform did not deploy the dashboard: {answer.status} {said}")
