"""Numbers, moments and durations as a reader takes them in at once."""

import math
from datetime import UTC, datetime

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def number(value: float | None) -> str:
    """Three digits that count, thousands set apart; a dash for what is not known.

    >>> number(1234567), number(0.012345), number(None)
    ('1,234,567', '0.0123', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1_000 else f"{value:.3g}"


def chance(p: float | None) -> str:
    """A p-value: below a ten-thousandth its size says nothing more.

    >>> chance(0.0), chance(0.0312), chance(1.0)
    ('< 0.0001', '0.0312', '1')
    """
    return "< 0.0001" if p is not None and p < 1e-4 else number(p)


def percent(share: float | None) -> str:
    """A share as percent.

    >>> percent(0.1234), percent(0.0), percent(None)
    ('12.3 %', '0 %', '–')
    """
    if share is None or not math.isfinite(share):
        return "–"
    return f"{100 * share:.3g} %"


def duration(seconds: float | None) -> str:
    """In the largest unit that it fills twice.

    >>> duration(7260), duration(45), duration(0.237), duration(None)
    ('2 h', '45 s', '0.24 s', '–')
    """
    if seconds is None or not math.isfinite(seconds):
        return "–"
    if 0 < seconds < 2:
        return f"{seconds:.2g} s"
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= 2 * size), _UNITS[-1])
    return f"{seconds / size:.0f} {unit}"


def moment(second: float) -> str:
    """Epoch seconds as a time in UTC.

    >>> moment(1_700_000_000)
    '2023-11-14 22:13:20'
    """
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d %H:%M:%S")


def since(second: float, now: float) -> str:
    """A moment seen from another one in UTC: without the day where it is the same.

    >>> since(1_700_000_000, 1_700_000_100), since(1_700_000_000, 1_700_100_000)
    ('22:13:20', '2023-11-14 22:13')
    """
    text = moment(second)
    return text[11:] if text[:10] == moment(now)[:10] else text[:16]


def instant(text: str) -> str:
    """ISO 8601 text in UTC, to the millisecond; other text as it is.

    >>> instant("2026-11-27T16:53:57.917705+00:00")
    '2026-11-27 16:53:57.917'
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return text
    found = found.astimezone(UTC) if found.tzinfo else found
    return found.strftime("%Y-%m-%d %H:%M:%S.") + f"{found.microsecond // 1_000:03d}"


def size(count: float | None) -> str:
    """Bytes.

    >>> size(123_456_789)
    '123 MB'
    """
    if count is None:
        return "–"
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1_000:
            return f"{count:.3g} {unit}"
        count /= 1_000
    return f"{count:.3g} TB"


def short(value: float) -> float | None:
    """Four digits that count, which is what a chart can show; None of what is no number."""
    return float(f"{value:.4g}") if math.isfinite(value) else None
