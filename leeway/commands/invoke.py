"""`leeway invoke`"""

import json
import sys
from pathlib import Path

import click

from leeway.errors import PlatformError
from leeway.settings import Settings

from . import functions
from .options import json_option

_TIMEOUT_S = 60


@click.command("invoke", short_help="Call a function.")
@click.argument("function")
@click.argument("path")
@click.argument("body", required=False)
@click.option("-X", "--method", help="GET without BODY, POST with it, unless given.")
@json_option
def command(function: str, path: str, body: str | None, method: str | None, as_json: bool) -> None:
    """Call PATH of FUNCTION and print the answer. BODY is JSON, or @FILE, or - for standard input.

    \b
    Examples:
      leeway invoke model-server elec/predict '{"instances": [[0.5, 0.06, 0.44, 0.003, 0.42, 0.41]]}'
      leeway invoke model-server v2/models
      leeway invoke concept-drift /
    """
    import httpx

    known = functions.deployed(Settings.read())
    url = f"{functions.address(known, functions.find(known, function))}/{path.lstrip('/')}"
    content = _content(body)
    try:
        answer = httpx.request(
            method or ("GET" if content is None else "POST"),
            url,
            content=content,
            headers={"content-type": "application/json"} if content is not None else {},
            timeout=_TIMEOUT_S,
        )
    except httpx.HTTPError as exc:
        raise PlatformError(f"{url} does not answer ({exc}); `leeway logs {function}` may say why") from None
    click.echo(_report(answer) if as_json else answer.text)
    if answer.is_error:
        raise PlatformError(f"{url} answered {answer.status_code}")


def _content(body: str | None) -> bytes | None:
    if body is None:
        return None
    if body == "-":
        return sys.stdin.buffer.read()
    if body.startswith("@"):
        return Path(body[1:]).read_bytes()
    return body.encode()


def _report(answer) -> str:
    try:
        value = answer.json()
    except ValueError:
        value = answer.text
    return json.dumps({"status": answer.status_code, "id": answer.headers.get("x-request-id"), "body": value}, indent=2)
