"""The summary of a demo as a person reads it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console


def print_summary(summary: Mapping[str, Any], differences: Sequence[str], console: Console | None = None) -> None:
    """Print it, on stdout unless `console` is given; `differences` are sentences on what does not add up."""
    console = console or Console(highlight=False, soft_wrap=True)
    for line in _lines(summary, differences):
        console.print(line, markup=False)


def _lines(s: Mapping[str, Any], differences: Sequence[str]) -> Iterator[str]:
    yield ""
    yield f"Leeway served {s['predictions']['rows']:,} rows and watched them, in {sum(s['seconds'].values()):.0f} s."
    yield from _counts(s)
    yield "  everything adds up" if not differences else "  DOES NOT ADD UP:"
    yield from (f"    {sentence}" for sentence in differences)
    yield ""
    yield from _alarms(s["alarms"])
    yield ""
    yield from (f"  {name:<16}{path}" for name, path in s["paths"].items())
    yield from (f"  {name:<16}{url}" for name, url in s["endpoints"].items())
    yield ""
    if pages := s["endpoints"].get("dashboard"):
        yield f"  The dashboard: {pages}"
    yield "  To look: `leeway status`, `leeway logs model-server`, or open the report in a browser."
    yield "  What runs goes on running: `leeway down` stops all of it."


def _counts(s: Mapping[str, Any]) -> Iterator[str]:
    r, p, f = s["requests"], s["predictions"], s["feedback"]
    yield ""
    yield f"  requests     {r['sent']:>7,} sent      {r['answered']:>7,} answered"
    yield (
        f"  predictions  {p['recorded']:>7,} recorded  {p['archived']:>7,} archived  = {p['counted']:,} counted + "
        f"{p['duplicate_id']:,} with an id seen before + {p['test']:,} tests"
    )
    yield (
        f"  feedback     {f['recorded']:>7,} recorded  {f['archived']:>7,} archived  = {f['joined']:,} joined + "
        f"{f['duplicate']:,} told twice + {f['corrected']:,} corrected + {f['orphan']:,} orphans + "
        f"{f['pending']:,} pending, of {f['sent']:,} sent"
    )
    yield f"  dropped {s['dropped']:,}, lost {s['lost']:,}, dead-lettered {s['dead_lettered']:,}"


def _alarms(alarms: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not alarms:
        yield "  No alarm."
    for detector in sorted({alarm["detector"] for alarm in alarms}):
        mine = [alarm for alarm in alarms if alarm["detector"] == detector]
        first = mine[0]
        yield (
            f"  {detector.replace('_', ' ')}: {len(mine)} alarms; the first over rows {_rows(first)}, "
            f"statistic {first['statistic']:.3g} against a threshold of {first['threshold']:.3g}"
        )
        yield from (f"    {name:<12} first moved in rows {rows}" for name, rows in _first_moves(mine).items())


def _first_moves(alarms: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    moves: dict[str, str] = {}
    for alarm in alarms:
        for feature in alarm["features"]:
            moves.setdefault(feature, _rows(alarm))
    return moves


def _rows(alarm: Mapping[str, Any]) -> str:
    return " to ".join("?" if row is None else f"{row:,}" for row in alarm["rows"])
