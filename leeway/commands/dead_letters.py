"""`leeway dead-letters`"""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leeway.errors import LeewayError
from leeway.record import FEEDBACK, TOO_LARGE, Origin, Request
from leeway.settings import Settings

from .options import json_option, show

if TYPE_CHECKING:
    from monitoring.dead_letters import DeadLetter


@click.group("dead-letters", short_help="Records that could not be used.")
def command() -> None:
    """Records that could not be used, with the reason: show them, export them, put them back after a fix."""


@command.command("list")
@json_option
def list_letters(as_json: bool) -> None:
    """List them, the oldest first.

    \b
    Examples:
      leeway dead-letters list
    """
    found = [about for about, _ in _letters()]
    show(found, as_json, lambda: [_line(about) for about in found] or ["there are none"])


@command.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
def export(file: Path, as_json: bool) -> None:
    """Write them to FILE, one JSON object a line: `record` holds what came (`raw` its bytes in base64, where they are
    no JSON).

    \b
    Examples:
      leeway dead-letters export letters.jsonl
    """
    found = [about for about, _ in _letters()]
    file.write_text("".join(json.dumps(about) + "\n" for about in found))
    show({"file": str(file), "letters": len(found)}, as_json, lambda: [f"{len(found)} dead letters in {file}"])


@command.command("put-back")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def put_back(file: Path | None, as_json: bool) -> None:
    """Send them to their streams again, as they came, or as they are in FILE: an export whose `record` fields were
    put right, and in which the lines may be fewer. What was sent is no dead letter any more; what still cannot be used
    will be one again.

    \b
    Examples:
      leeway dead-letters put-back
      leeway dead-letters put-back letters.jsonl
    """
    from leeway.own_outbox import send

    settings, here = Settings.read(), {(each["stream"], each["position"]): (each, take) for each, take in _letters()}
    wanted = [each for each, _ in here.values()] if file is None else [*map(json.loads, file.read_text().splitlines())]
    found: dict[str, Any] = {"put_back": 0, "left": {}}
    for about in wanted:
        place = (about.get("stream"), about.get("position"))
        reason = _why_not(about) if place in here else "it is no dead letter any more"
        if reason:
            found["left"][f"{place[0]} {place[1]}"] = reason
            continue
        sent = send(settings, about["stream"], about["key"], [lambda origin, about=about: _again(about, origin)])
        here[place][1]()  # also where it waits in the outbox for its stream
        found["put_back"] += 1
        if not sent:
            raise LeewayError(f"stream {about['stream']} takes nothing now; {found['put_back']} letters wait for it")
    show(found, as_json, lambda: _lines(found))


def _letters() -> list[tuple[dict[str, Any], Callable[[], None]]]:
    """Each dead letter, and what takes it away."""
    from monitoring.queries import Queries

    def taker(shown: Any, key: str) -> Callable[[], None]:
        def take() -> None:
            with Queries(settings) as queries:
                queries.discard(shown, [key])

        return take

    settings = Settings.read()
    with Queries(settings) as queries:
        return [(_about(shown.stream, letter), taker(shown, key)) for shown, key, letter in queries.letters()]


def _about(stream: str, letter: "DeadLetter") -> dict[str, Any]:
    about = {"stream": stream, "position": str(letter.position), "appended": letter.appended, "key": letter.key}
    about["reason"] = letter.reason
    try:
        return {**about, "record": json.loads(letter.raw)}
    except ValueError:
        return {**about, "raw": base64.b64encode(letter.raw).decode()}


def _why_not(about: dict[str, Any]) -> str:
    if not isinstance(about.get("record"), dict):
        return "it is no JSON object: export it, and give its `record`"
    if about["record"].get("op") == TOO_LARGE:
        return "it is a note of a record that was never kept"
    if about["key"].count("/") < 2:
        return f"its key {about['key']!r} names no project/function/deployment: export it, and give its `key`"
    return ""


def _again(about: dict[str, Any], origin: Origin) -> bytes:
    """What came, under a new origin: its old number was seen."""
    from leeway.own_outbox import record_of

    record = about["record"]
    if "schema" not in record and {"id", "rows", "truth"} <= set(record):  # an orphan
        request = Request(record["id"], rows=record["rows"], truth=record["truth"])
        return record_of(about["key"], FEEDBACK, origin, request=request)
    number = {"outbox": origin.outbox, "seq": origin.seq, "dropped": origin.dropped}
    return json.dumps({**record, "origin": number}).encode()


def _line(about: dict[str, Any]) -> str:
    return f"{about['stream']} {about['position']}  {about['reason']}  {json.dumps(about.get('record', '...'))[:80]}"


def _lines(found: dict[str, Any]) -> Iterator[str]:
    yield f"{found['put_back']} dead letters were put back"
    yield from (f"left {place}: {reason}" for place, reason in found["left"].items())
