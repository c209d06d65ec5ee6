"""`leeway status`"""

from collections.abc import Iterator
from typing import Any

import click

from leeway.settings import Settings

from .options import json_option, show

_LITTLE_ROOM = 256 << 20
_GONE = ("lost", "dropped", "dead_lettered", "pending")


@click.command("status", short_help="Show functions, streams and stores.")
@json_option
def command(as_json: bool) -> None:
    """Show what runs here: functions with their workers and URLs, streams with their lag, models with their state, and
    where everything lies.

    \b
    Examples:
      leeway status
      leeway status --json | jq .functions
    """
    from leeway.local import platform
    from leeway.local.stores import stores

    settings = Settings.read()
    found = {**platform.status(settings), **stores(settings)}
    show(found, as_json, lambda: _lines(found))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    running = f"platform  {found['url']} (pid {found['pid']})" if found["url"] else "platform  stopped; `leeway up`"
    yield running
    yield f"home      {found['home']}"
    for name, about in found["functions"].items():
        yield f"function  {name}: {about['state']}{', ' + about['message'] if about['message'] else ''}"
        yield from (f"          {url}" for url in about["addresses"])
        yield from (f"          {_worker(worker)}" for worker in about["workers"])
    for stream in found["streams"]:
        yield f"stream    {stream['name']}: {_stream(stream)}"
    for outbox in found["outboxes"]:
        dropped = "".join(f", {n:,} records dropped ({reason})" for reason, n in outbox["dropped"].items())
        if outbox["waiting_bytes"] or dropped:
            yield f"outbox    {outbox['function']}: {outbox['waiting_bytes']:,} bytes wait for the stream{dropped}"
    if found["error"]:
        yield f"trouble   {found['error']}"
    if found["free"] is not None and found["free"] < _LITTLE_ROOM:
        yield f"trouble   only {found['free'] / 1e6:.1f} MB are left on the disk of the home: make room"
    for about in found["deployments"]:
        gone = [f"{about[what]:,} {what.replace('_', '-')}" for what in _GONE if about[what]]
        yield f"records   {about['name']}: {', '.join(gone) or 'none lost, dropped or dead-lettered'}"
    for endpoint in found["endpoints"]:
        yield f"endpoint  {endpoint['name']}: {endpoint['state']}, {endpoint['incidents']} open incident(s)"
        if trouble := endpoint["trouble"]:
            yield f"trouble   {endpoint['name']} is not watched since position {trouble['since']}: {trouble['reason']}"
            yield "          its records are archived; mend it (the log has all of it) and restart the drift function"
    for kind, store in found["stores"].items():
        size = "" if store["bytes"] is None else f", {store['bytes'] / 1e6:.1f} MB"
        yield f"{kind:<9} {store['at']}{size}"
        if store["locked"]:
            yield f"trouble   {store['at']} cannot be written: is its disk mounted read-only, or whose is it?"


def _stream(stream: dict[str, Any]) -> str:
    if stream["error"]:
        return f"cannot be read: {stream['error']}"
    waiting = "" if stream["waiting"] is None else f", {stream['waiting']:,} of them waiting"
    lost = f"; {stream['lost']:,} lost, as nobody read them in time" if stream["lost"] else ""
    return f"{stream['appended']:,} records in {stream['shards']} shard(s){waiting}{lost}"


def _worker(worker: dict[str, Any]) -> str:
    parts = [f"{worker['trigger']}-{worker['worker']}", f"pid {worker['pid']}" if worker["pid"] else "not running"]
    if worker["restarts"]:
        parts.append(f"restarted {worker['restarts']} times")
    return ", ".join(parts + ([worker["reason"]] if worker["reason"] else []))
