"""`leeway truth`"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from leeway.errors import LeewayError
from leeway.settings import Settings

from . import functions
from .options import json_option, show


@click.command("truth", short_help="Send what turned out to be true.")
@click.argument("deployment")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def command(deployment: str, file: Path, as_json: bool) -> None:
    """Send the true values of FILE to DEPLOYMENT: a CSV table with the columns id (the request's), row (of that
    request, from 0; 0 without the column) and truth. Lines of one request that follow each other travel together.

    \b
    Examples:
      leeway truth elec truth.csv
      leeway truth leeway/model-server/elec truth.csv --json
    """
    from leeway.traffic.client import Client

    settings = Settings.read()
    name, model = functions.serving(settings, deployment)
    url = functions.address(functions.deployed(settings), name)
    total = sum(1 for _ in _feedback(file))
    refused: dict[int, str] = {}
    sent = 0
    with Client(url) as client, click.progressbar(_feedback(file), total, label="truth", hidden=as_json) as bodies:
        for line, body in bodies:
            answer = client.post(f"/{model}/feedback", body)
            sent += 1
            if not answer.is_ok:
                refused[line] = f"{answer.status} {_reason(answer.body)}"
    found = {"requests": sent, "accepted": sent - len(refused), "refused": refused, "url": url}
    show(found, as_json, lambda: _lines(found))
    if refused:
        raise LeewayError(f"{len(refused)} of {sent} were refused")


def _feedback(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(first line, feedback) of each request in a table."""
    with open(file, newline="") as lines:
        table = csv.DictReader(lines)
        if missing := {"id", "truth"} - set(table.fieldnames or ()):
            raise LeewayError(f"{file} has no column {' or '.join(sorted(missing))}; it has {table.fieldnames}")
        body: dict[str, Any] = {}
        first = 2
        for entry in table:
            row = _row(file, table.line_num, entry.get("row") or "0")
            if body and (entry["id"] != body["id"] or row in body["rows"]):
                yield first, body
                body = {}
            if not body:
                first, body = table.line_num, {"id": entry["id"], "rows": [], "truth": []}
            body["rows"].append(row)
            body["truth"].append(_value(entry["truth"]))
        if body:
            yield first, body


def _row(file: Path, line: int, text: str) -> int:
    if not text.isdecimal():
        raise LeewayError(f"{file}, line {line}: row is {text!r}; expected a whole number from 0")
    return int(text)


def _value(text: str) -> Any:
    """A number where the text is one, else the text.

    >>> _value("3"), _value("2.5"), _value("UP")
    (3, 2.5, 'UP')
    """
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _reason(body: Any) -> str:
    return str(body.get("error", body)) if isinstance(body, dict) else str(body)


def _lines(found: dict[str, Any]) -> Iterator[str]:
    yield f"{found['accepted']} of {found['requests']} requests got their truth at {found['url']}"
    for line, reason in list(found["refused"].items())[:10]:
        yield f"line {line}: {reason}"
