"""What the pages read: the stores of one home, opened once."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from leeway.clock import Clock, SystemClock
from leeway.interfaces import Archive, Point, Within
from leeway.profile import Profile
from leeway.record import INFER, Incident, Position, Verdict
from leeway.settings import Settings

from ..outcomes import COUNTED
from ..platform_functions import platform_functions
from ..queries import Queries
from ..series import REQUESTS
from ..verdicts import in_order, verdicts_of
from ..watch import Watched
from .span import Span, backwards, day_of, days_of

_DAY_S = 86_400
_MOST_DAYS = 31
_MOST_KEPT = 256
_MOST_WINDOWS = 64
_LOOKS_ON_S = 5


@dataclass
class Source:
    """Reads only. Not for several threads at once: a function answers one event at a time."""

    settings: Settings
    clock: Clock = field(default_factory=SystemClock)
    _first: dict[str, int] = field(default_factory=dict)
    _closed: dict[str, int | None] = field(default_factory=dict)
    _at: str = ""
    _points: dict[tuple, list[Point]] = field(default_factory=dict)
    _last: dict[str, tuple[int, Verdict]] = field(default_factory=dict)
    _of_windows: dict[tuple, Any] = field(default_factory=dict)
    _functions: tuple[float, tuple[dict[str, Any], str]] | None = None

    @cached_property
    def queries(self) -> Queries:
        return Queries(self.settings)

    @cached_property
    def archive(self) -> Archive:
        return self.queries.archive

    def close(self) -> None:
        self.queries.close()

    def position(self) -> str:
        """What changes when something was committed: a short digest of every consumer's position."""
        shown = self.queries.consumers()
        at = hashlib.blake2b(msgspec.json.encode(shown), digest_size=8).hexdigest()
        if at != self._at:
            self._at = at
            self._points.clear()
        return at

    def watched(self) -> Mapping[str, Watched]:
        return self.queries.watched()

    def profile(self, endpoint: str) -> Profile | None:
        return self.queries.profile(endpoint)

    def incidents(self, endpoint: str | None = None) -> list[Incident]:
        return self.queries.incidents(endpoint)

    def functions(self) -> tuple[dict[str, Any], str]:
        """What the platform says of its functions, and why that is not known where it is not; asked again after some
        seconds."""
        now_s = self.clock.monotonic()
        if self._functions is None or now_s >= self._functions[0] + _LOOKS_ON_S:
            self._functions = now_s, platform_functions(self.settings)
        return self._functions[1]

    def points(self, series: str, endpoint: str, span: Span, feature: str = "") -> list[Point]:
        """A series over a span, one point for each of its buckets that holds something; read once while nothing new
        is committed, as a page and its JSON show the same."""
        name = (series, endpoint, span.start, span.end, span.step, feature)
        if name not in self._points:
            if len(self._points) >= _MOST_KEPT:
                self._points.clear()
            self._points[name] = self.queries.series(*name)
        return self._points[name]

    def first_second(self, endpoint: str) -> int | None:
        """When an endpoint first answered, as far as the series still know; found once."""
        if endpoint not in self._first:
            points = self.queries.series(REQUESTS, endpoint, step=_DAY_S)
            if not points:
                return None
            day = points[0].bucket
            self._first[endpoint] = self.queries.series(REQUESTS, endpoint, day, day + _DAY_S)[0].bucket
        return self._first[endpoint]

    def closed_at(self, incident: Incident, key: str) -> int | None:
        """When an incident stopped being open (epoch seconds), None while it is, or where the archive does not say."""
        if incident.closed is None:
            return None
        if incident.id not in self._closed:
            self._closed[incident.id] = self._appended(incident.closed, key, incident.opened.appended)
        return self._closed[incident.id]

    def _appended(self, at: Position, key: str, since: int) -> int | None:
        """When the record at a position was appended."""
        days = [day_of(since + i * _DAY_S) for i in range(_MOST_DAYS)]
        place = (Within("shard", at.shard, at.shard), Within("offset", at.offset, at.offset))
        for kind in ("verdict", "decision", "feedback", "prediction"):
            table = self.archive.read(kind, key, ("appended",), days, place)
            if table.num_rows:
                return table["appended"][0].as_py()
        return None

    def last_window(self, endpoint: str, key: str, before: int) -> Verdict | None:
        """The last data-drift verdict up to a moment, None where none was reached in the month before it. Who looks on
        sees another one each five seconds: its rows have to be read."""
        looked, known = self._last.get(endpoint, (before + 1, None))
        if known is not None and looked <= before < looked + _LOOKS_ON_S:
            return known
        if (found := self._window(endpoint, key, before)) is not None:
            self._last[endpoint] = before, found
        return found

    def _window(self, endpoint: str, key: str, before: int) -> Verdict | None:
        mine = (Within("endpoint", endpoint, endpoint), Within("detector", "data_drift", "data_drift"))
        for since, until in backwards(before, before - _MOST_DAYS * _DAY_S):
            place = (Within("appended", since, until), *mine)
            table = self.archive.read("verdict", key, ("verdict",), days_of(since, until), place)
            if table.num_rows:
                return in_order(verdicts_of(table.slice(table.num_rows - 1)))[0]
        return None

    def of_window(self, verdict: Verdict, name: tuple, make: Callable[[], Any]) -> Any:
        """What `make` finds in the rows of a window. They stay as they are, so it is made once for all who look."""
        known = (verdict.id, *name)
        if known not in self._of_windows:
            if len(self._of_windows) >= _MOST_WINDOWS:
                self._of_windows.clear()
            self._of_windows[known] = make()
        return self._of_windows[known]

    def rows_of(self, verdict: Verdict, key: str, columns: tuple[str, ...] | None = None) -> pa.Table:
        """The rows that a verdict was computed from, with what is known of each; in stream order.
        Without those that detectors never see: tests, repeated ids, failures, explanations."""
        first, last, table = verdict.first.position, verdict.last.position, None
        place = (Within("shard", first.shard, first.shard), Within("offset", first.offset, last.offset))
        mine = (Within("endpoint_id", verdict.endpoint, verdict.endpoint), Within("status", COUNTED, COUNTED))
        days: list[str] = []
        for more in _portions(verdict.appended):
            days += more
            wanted = columns and (*columns, "offset", "error", "op")
            table = self.archive.read("prediction", key, wanted, sorted(days), (*place, *mine))
            if table.num_rows and table["offset"][0].as_py() <= first.offset:
                break
        if table is None or not table.num_rows:
            return pa.table({})
        return table.filter(pc.and_(pc.is_null(table["error"]), pc.equal(table["op"], INFER)))


def _portions(second: int) -> list[list[str]]:
    """The days up to a moment, in growing portions: the last two, the week before, the rest of a month."""
    days = [day_of(second - i * _DAY_S) for i in range(_MOST_DAYS) if second - i * _DAY_S >= 0]
    return [portion for portion in (days[:2], days[2:9], days[9:]) if portion]
