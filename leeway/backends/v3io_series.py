"""The time-series store in V3IO's TSDB, by the client of its Frames service. Never run on a real Iguazio: written
against the client and a double of the service."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import quote, unquote

import grpc
import msgspec
import pandas as pd
import v3io_frames

from leeway.errors import StoreError
from leeway.interfaces import Point, SeriesStore

from .v3io_place import v3io_place

DAY_S, MINUTE_S = 86_400, 60
_POINTS, _MINUTES, _LINES, _DAYS = "points", "minutes", "lines", "days"
_LINE = ("series", "endpoint", "feature")
_VALUES = ("count", "total", "low", "high", "histogram")
_AT_ONCE = 5_000
_END_MS = 1 << 53
_EMPTY = "%"  # no quoted text is that; a label without a value is none
_HISTOGRAM = msgspec.json.Decoder(dict[int, int])

_Row = dict[str, Any]
_Given = TypeVar("_Given")


class V3ioSeries(SeriesStore):
    """Four tables below a path. A sample's labels are the point's series, endpoint, feature and range, its time the
    bucket; one that is written again replaces the older one. V3IO has no transactions: a write that breaks off may
    have written a part, until its caller writes the same points again.

    Days are summed up as a whole, in steps that are marked, so that a `retain` that breaks off is finished by the next
    one: an even step 2g says that the minutes of generation g count, and points beside them; an odd one 2g - 1 that
    the points are in the minutes of generation g, and being deleted. A point that comes for a day of which the points
    are just being deleted is lost.
    """

    def __init__(self, framesd: str, access_key: str, path: str):
        needed = {"V3IO_FRAMESD": framesd, "V3IO_ACCESS_KEY": access_key}
        self._name, self._container, self._path = v3io_place("series", path, needed)
        self._framesd, self._access_key = framesd, access_key
        self._lock = threading.RLock()
        self._known: set[tuple[str, str, str] | int] = set()

    def write(self, points: Iterable[Point]) -> None:
        rows = [_row_of(point) for point in points]
        with self._lock:
            lines = {tuple(row[name] for name in _LINE) for row in rows} - self._known
            days = {row["bucket"] // DAY_S for row in rows} - self._known
            self._put(_LINES, [dict(zip(_LINE, line), bucket=0, known=1.0) for line in sorted(lines)])
            for day in days:
                self._mark(day, 0)
            self._known |= lines | days
            self._put(_POINTS, rows)

    def read(
        self, series: str, endpoint: str, start: int = 0, end: int = 2**62, step: int = 1, feature: str = ""
    ) -> list[Point]:
        line = {"series": series, "endpoint": endpoint, "feature": feature}
        merged: dict[int, list[_Row]] = {}
        for row in self._counting(start, end, line, self._steps()):
            merged.setdefault(row["bucket"] - row["bucket"] % step, []).append(row)
        return [Point(**line, bucket=bucket, range="", **_sum_of(rows)) for bucket, rows in sorted(merged.items())]

    def names(self) -> list[tuple[str, str, str]]:
        return sorted((row["series"], row["endpoint"], row["feature"]) for row in self._get(_LINES, 0, 1))

    def retain(self, points_s: int, sums_s: int) -> None:
        steps = self._steps()
        newest = self._newest(steps)
        for day in steps:
            if (day + 1) * DAY_S <= newest - points_s:
                self._sum_up(day, steps)
        if newest > sums_s:
            self._delete(_MINUTES, 0, newest - sums_s)

    def close(self) -> None:
        with self._lock:
            self.__dict__.pop("_client", None)

    def _counting(self, start: int, end: int, line: Mapping[str, str], steps: Mapping[int, int]) -> list[_Row]:
        """The rows that count, in the order in which they are added up."""
        rows = self._sums(start, end, line, steps) + [
            row for row in self._get(_POINTS, start, end, line) if steps[row["bucket"] // DAY_S] % 2 == 0
        ]
        return sorted(rows, key=lambda row: (row["bucket"], row["range"]))

    def _sums(self, start: int, end: int, line: Mapping[str, str], steps: Mapping[int, int]) -> list[_Row]:
        """Those of the minutes of the generation that counts."""
        return [
            {**row, "range": ""}
            for row in self._get(_MINUTES, start - start % MINUTE_S, end, line)
            if int(row["range"]) == (steps[row["bucket"] // DAY_S] + 1) // 2
        ]

    def _newest(self, steps: Mapping[int, int]) -> int:
        """The newest bucket, 0 where there is none."""
        for day in sorted(steps, reverse=True):
            if rows := self._counting(day * DAY_S, (day + 1) * DAY_S, {}, steps):
                return rows[-1]["bucket"]
        return 0

    def _sum_up(self, day: int, steps: Mapping[int, int]) -> None:
        first, end, step = day * DAY_S, (day + 1) * DAY_S, steps[day]
        if step % 2 == 0:
            points = self._get(_POINTS, first, end)
            if not points:
                return
            by_minute: dict[tuple, list[_Row]] = {}
            rows = [*self._sums(first, end, {}, steps), *points]
            for row in sorted(rows, key=lambda row: (row["bucket"], row["range"])):
                minute = row["bucket"] - row["bucket"] % MINUTE_S
                by_minute.setdefault((*(row[name] for name in _LINE), minute), []).append(row)
            if self._steps()[day] != step:
                return  # another one sums it up: what was read may be a part
            step += 1
            names = (*_LINE, "bucket")
            sums = [
                {**dict(zip(names, key)), "range": str((step + 1) // 2), **_stored(_sum_of(rows))}
                for key, rows in by_minute.items()
            ]
            self._put(_MINUTES, sums)
            self._mark(day, step)
        self._delete(_POINTS, first, end)
        self._mark(day, step + 1)

    def _mark(self, day: int, step: int) -> None:
        self._put(_DAYS, [{"bucket": day * DAY_S, "step": str(step), "known": 1.0}])

    def _steps(self) -> dict[int, int]:
        """By day that ever had a point, in order: how far it is summed up."""
        steps: dict[int, int] = {}
        for row in self._get(_DAYS):
            day = row["bucket"] // DAY_S
            steps[day] = max(steps.get(day, 0), int(row["step"]))
        return dict(sorted(steps.items()))

    def _put(self, table: str, rows: Sequence[_Row]) -> None:
        """Write rows, whose `bucket` is the time; of the rest, text but for histograms is a label."""
        for at in range(0, len(rows), _AT_ONCE):
            frame = pd.DataFrame(rows[at : at + _AT_ONCE])
            labels = [name for name in frame if name not in (*_VALUES, "bucket", "known")]
            for name in labels:
                frame[name] = [quote(text, safe="") or _EMPTY for text in frame[name]]
            frame["time"] = pd.to_datetime(frame.pop("bucket"), unit="s", utc=True)
            frame = frame.set_index(["time", *labels])
            self._ask(lambda client: client.write("tsdb", f"{self._path}/{table}", frame))  # noqa: B023  called at once

    def _get(
        self, table: str, start: int = 0, end: int = 2**62, line: Mapping[str, str] = MappingProxyType({})
    ) -> list[_Row]:
        """The rows from `start` up to, but not with, `end`, of one line or of all, in no order."""
        where = " AND ".join(f"{name}=='{quote(text, safe='') or _EMPTY}'" for name, text in line.items())
        span = {"start": str(start * 1_000), "end": str(min(end * 1_000, _END_MS) - 1)}
        columns = ["known"] if table in (_LINES, _DAYS) else list(_VALUES)
        if start >= end:
            return []
        frame = self._ask(
            lambda client: client.read(
                "tsdb", f"{self._path}/{table}", columns=columns, filter=where, multi_index=True, **span
            )
        )
        if not len(frame):
            return []
        frame = frame.reset_index()
        frame["bucket"] = frame.pop("time").astype("int64") // 10**9
        for name in {*_LINE, "range", "step"}.intersection(frame):
            frame[name] = ["" if text == _EMPTY else unquote(text) for text in frame[name]]
        return frame.to_dict("records")

    def _delete(self, table: str, start: int, end: int) -> None:
        span = {"start": str(start * 1_000), "end": str(end * 1_000 - 1)}
        ignore = v3io_frames.IGNORE
        self._ask(lambda client: client.delete("tsdb", f"{self._path}/{table}", if_missing=ignore, **span))

    @cached_property
    def _client(self) -> Any:
        session = v3io_frames.Session(container=self._container, token=self._access_key)
        client = _Client(self._framesd, session, should_check_version=False)
        for table in (_POINTS, _MINUTES, _LINES, _DAYS):
            client.create("tsdb", f"{self._path}/{table}", if_exists=v3io_frames.IGNORE, rate="1/s")
        return client

    def _ask(self, call: Callable[[Any], _Given]) -> _Given:
        try:
            with self._lock:
                return call(self._client)
        except (v3io_frames.Error, v3io_frames.BadRequest, grpc.RpcError) as error:
            self.close()
            told = str(error).replace(self._access_key, "***")
            raise StoreError(f"series {self._name} at {self._framesd}: {told}; is Frames up?") from error


class _Client(v3io_frames.gRPCClient):
    """Tries nothing a second time by itself: a write that it tried again would send what is left of the first try."""

    def _open_new_channel(self) -> None:
        own_connection = ("grpc.use_local_subchannel_pool", 1)  # without the pause of one that failed before
        self._channel = grpc.insecure_channel(self.address, options=[*self._channel_options, own_connection])


def _row_of(point: Point) -> _Row:
    return {
        "series": point.series, "endpoint": point.endpoint, "feature": point.feature, "range": point.range,
        "bucket": point.bucket, "count": float(point.count), "total": float(point.total), "low": float(point.low),
        "high": float(point.high), "histogram": msgspec.json.encode(point.histogram).decode(),
    }  # fmt: skip


def _sum_of(rows: Iterable[_Row]) -> dict[str, Any]:
    """What the points of some rows add up to, in their order; by the names of a Point's fields."""
    count, total, low, high, histogram = 0, 0.0, float("inf"), float("-inf"), dict[int, int]()
    for row in rows:
        count, total = count + int(row["count"]), total + row["total"]
        low, high = min(low, row["low"]), max(high, row["high"])
        for edge, number in _HISTOGRAM.decode(row["histogram"]).items():
            histogram[edge] = histogram.get(edge, 0) + number
    ordered = dict(sorted(histogram.items()))
    return {"count": count, "total": total, "low": low, "high": high, "histogram": ordered}


def _stored(sums: Mapping[str, Any]) -> _Row:
    return {**sums, "count": float(sums["count"]), "histogram": msgspec.json.encode(sums["histogram"]).decode()}
