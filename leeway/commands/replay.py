"""`leeway replay`"""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import click

from leeway.errors import SettingError
from leeway.settings import Settings, variable

from .options import json_option, show

_COLUMNS = ("settings", "detector", "alarms", "rows", "first_alarm_after", "expected_false_alarms", "delay_doubled")
_ALWAYS = 2**62


@click.command("replay", short_help="Run archived rows through the detectors again.")
@click.argument("deployment")
@click.option(
    "--from", "start", help="First moment (ISO 8601, UTC unless it says otherwise); the beginning without it."
)
@click.option("--to", "end", help="The moment up to which; to the end without it.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="A setting to change, detector.arl0=50000.")
@json_option
def command(deployment: str, start: str | None, end: str | None, changes: Sequence[str], as_json: bool) -> None:
    """Run the archived rows of DEPLOYMENT through the same pipeline: with the same settings it finds what was found;
    with `--set` a table shows what other settings would have found, how late, and what they cost.

    \b
    Examples:
      leeway replay elec
      leeway replay elec --from 2026-11-01 --to 2026-11-08 --set detector.arl0=5000
    """
    from monitoring.replay import Replay, what_if

    settings = Settings.read()
    span = (0 if start is None else _seconds(start), _ALWAYS if end is None else _seconds(end))
    replay = Replay(settings, deployment)
    run = replay.run(settings, *span)
    recorded = {verdict.id: verdict for verdict in replay.recorded(*span)}
    named = {"as they are": (settings, run.verdicts)}
    if changes:
        changed = _changed(changes)
        named[", ".join(changes)] = (changed, replay.run(changed, *span).verdicts)
    found = {
        "deployment": replay.key,
        "rows": run.rows,
        "rows_per_s": round(run.rows_per_s),
        "verdicts": len(run.verdicts),
        "recorded": len(recorded),
        "equal": sum(recorded.get(verdict.id) == verdict for verdict in run.verdicts),
        "table": what_if(named),
    }
    show(found, as_json, lambda: _lines(found))


def _changed(changes: Sequence[str]) -> Settings:
    known = {field.metadata["key"] for field in fields(Settings)}
    given = {}
    for change in changes:
        key, _, value = change.partition("=")
        if key not in known or not value:
            raise SettingError(
                f"--set {change}: expected KEY=VALUE with a key of docs/settings.md, detector.arl0=50000"
            )
        given[variable(key)] = value
    return Settings.read_with(given)


def _seconds(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no moment: expected 2026-11-01 or 2026-11-01T12:00:00") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _lines(found: dict[str, Any]) -> Iterator[str]:
    yield f"{found['deployment']}: {found['rows']:,} rows, {found['rows_per_s']:,} rows/s"
    yield f"{found['verdicts']} verdicts, {found['equal']} of them as recorded ({found['recorded']} were)"
    yield "  ".join(f"{name:<22}" for name in _COLUMNS)
    for row in found["table"]:
        yield "  ".join(f"{_text(row[name]):<22}" for name in _COLUMNS)


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
