"""Where a group begins that never committed."""

from datetime import UTC, datetime

from leeway.errors import PlatformError
from leeway.interfaces import Stream


def start_offset(stream: Stream, shard: int, seek: str) -> int:
    """`seek` is earliest, latest, or an ISO 8601 time (UTC where it names no zone): the first message that was
    appended then or later, found by halving. PlatformError where it is none of these.
    """
    oldest, end = stream.bounds(shard)
    if seek.lower() in ("earliest", "latest"):
        return oldest if seek.lower() == "earliest" else end
    try:
        time = datetime.fromisoformat(seek)
    except ValueError:
        raise PlatformError(
            f"a trigger cannot start at {seek!r}: give earliest, latest or 2026-11-24T12:00:00Z"
        ) from None
    wanted = (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    while oldest < end:
        middle = (oldest + end) // 2
        found = stream.read(shard, middle, 1)
        if found and found[0].appended < wanted:
            oldest = found[0].offset + 1
        else:
            end = middle
    return oldest
