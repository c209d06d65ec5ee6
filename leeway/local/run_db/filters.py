"""The filters that MLRun's lists share."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any


def named(pattern: str | None, name: str) -> bool:
    """A name matches itself; after a '~' it matches whatever contains it, capitals or not."""
    if not pattern:
        return True
    return pattern[1:].lower() in name.lower() if pattern.startswith("~") else name == pattern


def labelled(wanted: str | Mapping[str, str | None] | Sequence[str] | None, labels: Mapping[str, Any] | None) -> bool:
    """`wanted` is "a=b,c", ["a=b", "c"] or {"a": "b", "c": None}: all of them, c with any value."""
    if isinstance(wanted, Mapping):
        wanted = [name if value is None else f"{name}={value}" for name, value in wanted.items()]
    elif isinstance(wanted, str):
        wanted = wanted.split(",")
    has = labels or {}
    for each in filter(None, wanted or ()):
        name, sign, value = (part.strip() for part in each.partition("="))
        if name not in has or (sign and str(has[name]) != value):
            return False
    return True


def within(time: Any, since: Any, until: Any) -> bool:
    """Times are ISO 8601 or datetimes; without a zone they are UTC. What has no time is not within any."""
    if since is None and until is None:
        return True
    at = _time(time)
    return at is not None and not (since and at < _time(since)) and not (until and at > _time(until))


def _time(value: Any) -> datetime | None:
    if not value:
        return None
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found if found.tzinfo else found.replace(tzinfo=UTC)
