"""When a cron expression is due."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from leeway.errors import PlatformError

_NAMED = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_LIMITS = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_PART = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)")
_HORIZON_DAYS = 366 * 8  # the 29th of February is at most eight years away


@dataclass(frozen=True)
class CronSchedule:
    """Five fields (minute, hour, day, month, day of the week) or six (seconds first); '*', lists, ranges and steps.

    Where both days are restricted either one is enough, as in Vixie's cron.

    >>> CronSchedule.parse("30 6 * * mon-fri").next_after(datetime(2024, 6, 1))
    datetime.datetime(2024, 6, 3, 6, 30)
    """

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    @classmethod
    def parse(cls, text: str) -> "CronSchedule":
        """PlatformError names what is wrong."""
        fields = _NAMED.get(text.strip().lower(), text).lower().split()
        if len(fields) == 6 and fields[0].startswith("*"):
            fields[0] = "0"  # as Nuclio does: a schedule is not finer than a minute by accident
        if len(fields) == 5:
            fields.insert(0, "0")
        if len(fields) != 6:
            raise PlatformError(f"schedule {text!r} has {len(fields)} fields; give five, or six with the seconds first")
        values = [_values(field, *limits, text) for field, limits in zip(fields, _LIMITS)]
        seconds, minutes, hours = (tuple(sorted(found)) for found in values[:3])
        either = not fields[3].startswith("*") and not fields[5].startswith("*")
        weekdays = frozenset(day % 7 for day in values[5])
        return cls(seconds, minutes, hours, values[3], values[4], weekdays, either)

    def next_after(self, now: datetime) -> datetime:
        """The first time it is due after `now`; PlatformError where that never comes."""
        start = now.replace(microsecond=0) + timedelta(seconds=1)
        for ahead in range(_HORIZON_DAYS):
            midnight = (start + timedelta(days=ahead)).replace(hour=0, minute=0, second=0)
            if self._on_day(midnight):
                for due in self._times(midnight):
                    if due >= start:
                        return due
        raise PlatformError(f"the schedule {self} is never due")

    def _on_day(self, day: datetime) -> bool:
        by_day, by_weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and (by_day or by_weekday if self.either_day else by_day and by_weekday)

    def _times(self, midnight: datetime) -> Iterator[datetime]:
        for hour in self.hours:
            for minute in self.minutes:
                for second in self.seconds:
                    yield midnight.replace(hour=hour, minute=minute, second=second)


def duration_s(text: str) -> float:
    """A Go duration in seconds: "3s", "1m30s", "500ms"."""
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise PlatformError(f"interval {text!r} is not a duration; give one such as '3s', '1m30s' or '500ms'")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if seconds < 1e-3:
        raise PlatformError(f"interval {text!r} is too short; give at least 1ms")
    return seconds


def _values(field: str, low: int, high: int, text: str) -> frozenset[int]:
    found: set[int] = set()
    for part in field.replace("?", "*").split(","):
        match = _PART.fullmatch(part)
        if not match or match[4] == "0":
            raise PlatformError(f"schedule {text!r}: {part!r} is not '*', a value, a range or a step")
        star, first, last, step = match.groups()
        start = low if star else _value(first, low, high, text)
        end = high if star or (step and not last) else _value(last or first, low, high, text)
        found.update(range(start, end + 1, int(step or 1)))
    return frozenset(found)


def _value(word: str, low: int, high: int, text: str) -> int:
    names = {12: _MONTHS, 7: _DAYS}.get(high, [])
    value = names.index(word) + low if word in names else int(word) if word.isdecimal() else -1
    if not low <= value <= high:
        raise PlatformError(f"schedule {text!r}: {word!r} is not within {low} to {high}")
    return value
