"""The functions that a Nuclio dashboard knows; on the laptop the platform is one."""

import json
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

from leeway.settings import Settings

_PATIENCE_S = 2.0


def platform_functions(settings: Settings) -> tuple[dict[str, Any], str]:
    """{name: what Nuclio says of it}, and why they are not known where they are not."""
    url = settings.dashboard_platform or _platform(settings.home)
    if not url:
        return {}, "No platform runs: `leeway up` starts it."
    if urlsplit(url).scheme not in ("http", "https"):
        return {}, f"dashboard.platform={url!r} is no http URL of a Nuclio dashboard."
    try:
        with build_opener(ProxyHandler({})).open(f"{url.rstrip('/')}/api/functions", timeout=_PATIENCE_S) as answer:
            return json.load(answer), ""
    except (OSError, ValueError, HTTPException) as error:
        return {}, f"The platform at {url} does not answer: {error}"


def _platform(home: Path) -> str:
    try:
        return json.loads((home / "platform.json").read_text())["url"]
    except (OSError, ValueError, KeyError):
        return ""
