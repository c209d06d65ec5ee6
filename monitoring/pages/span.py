"""The stretch of time that a page shows, as its URL says it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

RANGES = {"15m": 900, "1h": 3_600, "6h": 21_600, "24h": 86_400, "7d": 604_800, "30d": 2_592_000, "1y": 31_536_000}
DEFAULT = "1h"
_STEPS = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400, 172_800)
_MOST_POINTS = 500
_DAY_S, _NEWEST_S = 86_400, 60
_LONGEST = 2 * RANGES["1y"]


class BadSpan(ValueError):
    """The URL names no stretch of time."""


@dataclass(frozen=True)
class Span:
    """From `start` up to, but not with, `end` (epoch seconds), both multiples of `step`, the length of a bucket: there
    are at most 500. `name` is one of RANGES, and the span then ends now; empty where the URL says from when to when."""

    start: int
    end: int
    step: int
    name: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str], now: int) -> "Span":
        """From `range`, or `from` and `to` (epoch seconds or ISO 8601, UTC unless it says otherwise)."""
        if query.get("from") or query.get("to"):
            end = _time(query["to"]) if query.get("to") else now
            start = _time(query["from"]) if query.get("from") else end - RANGES[DEFAULT]
            if not 0 < end - start <= _LONGEST or start < 0:
                raise BadSpan(f"from {query.get('from')!r} to {query.get('to')!r} is no time span of at most two years")
            return cls._aligned(start, end, "")
        name = query.get("range") or DEFAULT
        if name not in RANGES:
            raise BadSpan(f"range={name!r} is not known: use one of {', '.join(RANGES)}, or from=...&to=...")
        return cls._aligned(now + 1 - RANGES[name], now + 1, name)

    @classmethod
    def _aligned(cls, start: int, end: int, name: str) -> "Span":
        step = next((step for step in _STEPS if (end - start) / step <= _MOST_POINTS), _STEPS[-1])
        return cls(start - start % step, end + -end % step, step, name)

    @property
    def seconds(self) -> int:
        return self.end - self.start

    @property
    def buckets(self) -> int:
        return self.seconds // self.step

    @property
    def query(self) -> dict[str, str]:
        """The parameters that name it in a URL."""
        return {"range": self.name} if self.name else {"from": str(self.start), "to": str(self.end)}

    @property
    def days(self) -> list[str]:
        """The days (YYYY-MM-DD, UTC) that it touches, in order."""
        return days_of(self.start, self.end - 1)

    @property
    def fixed(self) -> "Span":
        """The same time, that does not go on."""
        return Span(self.start, self.end, self.step)

    def moved(self, by: float) -> "Span":
        """As long, `by` of its lengths later; a stretch that stands."""
        shift = int(self.seconds * by)
        return Span._aligned(self.start + shift, self.end + shift, "")

    def url(self, page: str, **parameters: str) -> str:
        """A link to a page that shows the same time; without what is empty."""
        given = {name: value for name, value in parameters.items() if value != ""}
        return f"{page}?{urlencode({**given, **self.query})}"


def day_of(second: int) -> str:
    """The day of a moment, YYYY-MM-DD, UTC."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d")


def days_of(first: int, last: int) -> list[str]:
    """The days (YYYY-MM-DD, UTC) from one moment up to another, in order."""
    return [day_of(second) for second in range(first - first % _DAY_S, last + 1, _DAY_S)]


def backwards(last: int, first: int) -> Iterator[tuple[int, int]]:
    """From a moment back to another in stretches (from, to), both included, each four times as long as the one
    before, so that whoever wants the newest few of something reads little."""
    length = _NEWEST_S
    while last >= max(first, 0):
        since = max(last + 1 - length, first, 0)
        yield since, last
        last, length = since - 1, length * 4


def _time(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        raise BadSpan(f"{text!r} is no time: give epoch seconds, or 2026-11-24T12:00") from None
