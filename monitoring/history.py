"""What one endpoint went through, read from the stores and put in order, for charts and reports."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leeway.profile import ErrorLevel, FeatureProfile, Profile
from leeway.record import RowReference, Verdict

from .outcomes import COUNTED
from .performance.performance_watch import DETECTOR as PERFORMANCE
from .queries import Queries
from .reconciliation import Baseline
from .verdicts import CLEARS, DETECTED

CONCEPT, DATA, SLICE = "concept_drift", "data_drift", "concept_drift_slice"
_COLUMNS = (
    "shard", "offset", "index", "row", "id", "when", "event_time", "microsec", "appended", "status", "endpoint_id",
)  # fmt: skip
_TWO_SIDED_95 = 1.96
_NO_GATE = 0.1  # where any effect matters: a column that was constant


@dataclass(frozen=True)
class History:
    """Verdicts and rows of one endpoint in stream order. `rows` are those that detectors saw, with the columns of
    the archive that say what, when and how long; `profile` is None where the model has none. `marks` are moments that a
    reader knows of, {what happened: number of the row}. `previous` is the endpoint of the same deployment that answered
    last before this one began to, empty where none did."""

    endpoint: str
    profile: Profile | None
    rows: pa.Table
    verdicts: tuple[Verdict, ...]
    marks: Mapping[str, int] = field(default_factory=dict)
    previous: str = ""

    @property
    def stretches(self) -> list[Verdict]:
        """The concept detector's regular verdicts, one for each so many labelled rows."""
        return [v for v in self.verdicts if v.detector == CONCEPT and v.status != DETECTED and CLEARS not in v.details]

    @property
    def concept_alarms(self) -> list[Verdict]:
        return [v for v in self.verdicts if v.detector == CONCEPT and v.status == DETECTED]

    @property
    def concept_incidents(self) -> list[tuple[Verdict, Verdict | None]]:
        """The alarm that opened each incident of the concept detector, and the verdict that cleared it, if one did."""
        found: list[tuple[Verdict, Verdict | None]] = []
        for each in self.verdicts:
            is_open = bool(found) and found[-1][1] is None
            if each.detector == CONCEPT and each.status == DETECTED and not is_open:
                found.append((each, None))
            elif each.detector == CONCEPT and CLEARS in each.details and is_open:
                found[-1] = (found[-1][0], each)
        return found

    @property
    def slice_alarms(self) -> list[Verdict]:
        """The first alarm of each slice whose errors rose, in stream order."""
        first: dict[str, Verdict] = {}
        for found in self.verdicts:
            if found.detector == SLICE and found.status == DETECTED:
                first.setdefault(found.feature, found)
        return list(first.values())

    @property
    def alarms(self) -> list[Verdict]:
        return [v for v in self.verdicts if v.status == DETECTED]

    @property
    def windows(self) -> list[Verdict]:
        """The verdicts on windows of rows, alarms or not."""
        return [v for v in self.verdicts if v.detector == DATA]

    @property
    def performance(self) -> list[Verdict]:
        """The estimates of how well the model did in each window, without its labels."""
        return [v for v in self.verdicts if v.detector == PERFORMANCE]

    @property
    def seconds(self) -> tuple[int, int]:
        """When the first and the last row were appended to the stream, epoch seconds."""
        appended = self.rows["appended"].to_numpy()
        return (int(appended.min()), int(appended.max())) if len(appended) else (0, 0)

    @cached_property
    def times(self) -> np.ndarray:
        """When each row was asked for, datetime64[us], shape (rows,): the callers' own times where all rows have one,
        else when the requests came."""
        column = self.rows["event_time"]
        if column.null_count or not len(column):
            column = self.rows["when"]
        return np.array([np.datetime64(text[:26].removesuffix("Z").split("+")[0], "us") for text in column.to_pylist()])

    def number_of(self, row: RowReference) -> int:
        """Which of `rows` a reference names."""
        return int(np.searchsorted(self._places, _place(row.position.offset, row.position.index, row.row)))

    def time_of(self, row: RowReference) -> np.datetime64:
        return self.times[self.number_of(row)]

    def middle_of(self, verdict: Verdict) -> np.datetime64:
        """The time of the row in the middle of what a verdict was computed from."""
        return self.times[(self.number_of(verdict.first) + self.number_of(verdict.last)) // 2]

    @property
    def watched_names(self) -> list[str]:
        """The features in the model's order, then the predictions where they are watched."""
        if self.profile is None:
            return []
        prediction = self.profile.prediction
        return self.profile.feature_names + ([prediction.name] if prediction is not None else [])

    def move_of(self, verdict: Verdict, name: str) -> float:
        """How far a feature was from the reference in a window, in multiples of the effect that it takes to matter; at
        least 1 where it alarmed, for another reason perhaps."""
        found = verdict.details.get(name)
        if found is None:
            return 0.0
        gates = found["effect"] / (found["gate"] or _NO_GATE)
        return max(gates, 1.0) if name in verdict.features else gates

    def reference_of(self, name: str) -> FeatureProfile:
        """The profile of one of `watched_names`."""
        return next((feature for feature in self.profile.features if feature.name == name), self.profile.prediction)

    @property
    def level(self) -> ErrorLevel | None:
        """How often the model erred on rows that it was not fitted on."""
        return None if self.profile is None else self.profile.errors

    def band(self, rows: int) -> tuple[float, float] | None:
        """Where the error rate of `rows` rows lies 19 times of 20 while nothing changes: the level's own uncertainty
        and that of the rows, both with what autocorrelation adds."""
        if (level := self.level) is None:
            return None
        p = level.level
        deviation = np.sqrt(p * (1 - p) * level.inflation * (1 / rows + 1 / level.rows))
        return max(0.0, p - _TWO_SIDED_95 * deviation), min(1.0, p + _TWO_SIDED_95 * deviation)

    @cached_property
    def _places(self) -> np.ndarray:
        offset, index, row = (self.rows[name].to_numpy() for name in ("offset", "index", "row"))
        return _place(offset, index, row)


def history_of(
    queries: Queries,
    endpoint: str,
    since: Baseline | None = None,
    marks: Mapping[str, int] = MappingProxyType({}),
) -> History:
    """The history of an endpoint, from a moment on where one is given. Its rows all lie in one shard."""
    table = queries.archive.read("prediction", queries.watched()[endpoint].key, columns=_COLUMNS)
    mine = pc.and_(pc.equal(table["endpoint_id"], endpoint), pc.equal(table["status"], COUNTED))
    rows, verdicts, previous = table.filter(mine), queries.verdicts(endpoint), _previous(table, endpoint)
    if since is not None:
        rows = since.later(rows)
        verdicts = [verdict for verdict in verdicts if since.is_before(verdict.first.position)]
    return History(endpoint, queries.profile(endpoint), rows, tuple(verdicts), marks, previous)


def endpoint_since(queries: Queries, since: Baseline) -> str | None:
    """The endpoint of the deployment that answered last, None where none did."""
    table = queries.archive.read("prediction", since.key, columns=("shard", "offset", "endpoint_id"))
    rows = since.later(table) if len(table) else table
    return rows["endpoint_id"][-1].as_py() if len(rows) else None


def _previous(table: pa.Table, endpoint: str) -> str:
    """The other endpoint whose rows come last before the first of this one."""
    names = table["endpoint_id"].to_pylist()
    begin = names.index(endpoint) if endpoint in names else 0
    return names[begin - 1] if begin else ""


def _place(offset: np.ndarray | int, index: np.ndarray | int, row: np.ndarray | int) -> np.ndarray | int:
    """A number that grows with the position of a row: offsets below 2^31, and 2^16 records or rows at each."""
    return (offset << 32) + (index << 16) + row
