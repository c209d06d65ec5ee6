"""From the archive of one stream key to batches: what Intake makes of the messages of a stream, column by column.

Records come in the order of their positions. Nothing is decoded, deduplicated or refused again: what is in the archive
was taken once. Predictions and truth that meet once and in time are joined as columns (archived_joins.py), all others
by the label book.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leeway.interfaces import Archive
from leeway.profile import Profile
from leeway.record import DECISION, SCHEMA, Origin, Record
from leeway.record_writer import said_of
from leeway.settings import Settings

from .archived_answers import INPUT, ArchivedAnswers, ArchivedEndpoint
from .archived_joins import Joins, joins_of
from .archived_truth import ArchivedTruth, record_starts
from .archived_values import documents_of
from .batch import Batch
from .label_values import LIVE, TEST, Completed, Place, Who
from .labels import Labels
from .told import Told

_AT_ONCE = 5_000  # records of a batch
_RECORD = ("shard", "offset", "index", "appended")
_PREDICTION = (*_RECORD, "endpoint_id", "id", "op", "shadow_of", "error", "labels", "output", "probabilities")
_FEEDBACK = (*_RECORD, "request_id", "request_row", "truth", "labels")
_DECIDED = (*_RECORD, "decision")
_TRUTH, _DECISION = -1, -2  # sources; an endpoint is one by its number


class ArchivedIntake:
    """Everything that was archived of a stream key and appended before `end` (epoch seconds)."""

    def __init__(
        self, archive: Archive, key: str, settings: Settings, profiles: Mapping[str, Profile | None], end: int
    ):
        self._key = key
        self._labels = Labels(settings.labels_age_s, settings.labels_count)
        inputs = {f"{INPUT}{name}" for profile in profiles.values() if profile for name in profile.feature_names}
        wanted = {"prediction": [*_PREDICTION, *sorted(inputs)], "feedback": _FEEDBACK, "decision": _DECIDED}
        tables = [_before(archive.read(kind, key, columns), end) for kind, columns in wanted.items()]
        self.shard = next((table["shard"][0].as_py() for table in tables if table.num_rows), 0)
        self.rows = tables[0].num_rows
        found = dict(_endpoints(tables[0], profiles.get))
        self._names, self._endpoints = [name or key for name in found], list(found.values())
        self._truth = ArchivedTruth(tables[1])
        self._decisions = _decisions(tables[2])
        self._order([*self._endpoints, self._truth, _Places(tables[2])])
        self._joins: Joins = joins_of(self._endpoints, self._truth, self._ranks, self._clocks, settings)

    def batches(self) -> Iterator[Batch]:
        """In stream order; one ends after a message with a decision, so that what comes later is judged by it."""
        start, decided = 0, np.flatnonzero(self._sources == _DECISION)
        while start < len(self._sources):
            stop = min(start + _AT_ONCE, len(self._sources))
            later = decided[np.searchsorted(decided, start) :]
            if len(later) and later[0] < stop:
                stop = int(np.searchsorted(self._offsets, self._offsets[later[0]], "right"))
            yield self._batch(start, stop)
            start = stop

    def _order(self, parts: list[Any]) -> None:
        """Where every record is in the stream: `_ranks` by source, endpoints first, then truth and decisions."""
        sizes = [len(part.firsts) for part in parts]
        codes = [*range(len(self._endpoints)), _TRUTH, _DECISION]
        offsets, indexes = (
            np.concatenate([getattr(part, name)[part.firsts] for part in parts]) for name in ("offsets", "indexes")
        )
        order = np.lexsort((indexes, offsets))
        ranks = np.empty(len(order), int)
        ranks[order] = np.arange(len(order))
        self._ranks = np.split(ranks, np.cumsum(sizes)[:-1])
        self._offsets, self._indexes = offsets[order], indexes[order]
        self._appended = np.concatenate([part.appended for part in parts])[order]
        self._clocks = np.maximum.accumulate(self._appended)
        self._sources = np.repeat(codes, sizes)[order]
        self._numbers = np.concatenate([np.arange(size) for size in sizes])[order]

    def _batch(self, start: int, stop: int) -> Batch:
        span = slice(start, stop)
        columns = (self._offsets, self._indexes, self._appended, self._clocks)
        places = list(map(Place, *(column[span].tolist() for column in columns)))
        batch = Batch(messages=len(places))
        answers = self._answers(span, places)
        batch.answers = {(self._key, self._names[source]): each for source, each in answers.items()}
        self._labels.expire(places[0].clock)
        self._take(start, stop, places, answers, batch)
        batch.completed = self._labels.take_completed()
        self._labels.take_orphans()
        self._labels.changes()
        for source, joined in self._joins.completed(start, stop, places, self._clocks).items():
            name = self._names[source]
            batch.completed[name] = _merged(batch.completed.get(name, []), joined)
        return batch

    def _answers(self, span: slice, places: list[Place]) -> dict[int, ArchivedAnswers]:
        sources, numbers = self._sources[span], self._numbers[span]
        found = {}
        for source in np.unique(sources[sources >= 0]).tolist():
            mine = np.flatnonzero(sources == source)
            first, last = int(numbers[mine[0]]), int(numbers[mine[-1]]) + 1
            at = places if len(mine) == len(places) else [places[i] for i in mine.tolist()]
            found[source] = ArchivedAnswers(self._endpoints[source], first, last, self.shard, at)
        return found

    def _take(
        self, start: int, stop: int, places: list[Place], answers: dict[int, ArchivedAnswers], batch: Batch
    ) -> None:
        """What is not joined as columns, in order: to the label book, or (decisions) to the batch."""
        predict = {source: self._predict(source, each) for source, each in answers.items()}
        labels, clock = self._labels, places[0].clock
        for rank in self._joins.others(start, stop, self._sources == _DECISION):
            source, number, at = int(self._sources[rank]), int(self._numbers[rank]), places[rank - start]
            if at.clock != clock:
                clock = at.clock
                labels.expire(clock)
            if source >= 0:
                predict[source](number, at)
            elif source == _TRUTH:
                if (truths := self._truth.truths(number)) and not self._truth.is_test[number]:
                    labels.truth(self._key, self._truth.ids[number], truths, at)
            else:
                decided = self._decisions[number]
                batch.decisions.setdefault(self._key, []).append(Told(decided, said_of(decided), at))

    def _predict(self, source: int, answers: ArchivedAnswers) -> Callable[[int, Place], None]:
        endpoint, labels, name = self._endpoints[source], self._labels, self._names[source]
        lanes = [labels.who(Who(self._key, name, lane)) for lane in (LIVE, f"shadow:{name}", TEST)]

        def predict(number: int, at: Place) -> None:
            lane = lanes[2 if endpoint.is_test[number] else int(endpoint.is_shadow[number])]
            if labels.predict(lane, endpoint.ids[number], answers.outputs_of(number), at) is None:
                answers.counted[number - answers.start] = False

        return predict


class _Places:
    """The positions of the records of a table."""

    def __init__(self, table: pa.Table):
        names = ("offset", "index", "appended")
        columns = [table[name].to_numpy() if table.num_rows else np.zeros(0, int) for name in names]
        self.offsets, self.indexes = columns[:2]
        self.firsts = record_starts(self.offsets, self.indexes)
        self.appended = columns[2][self.firsts]


def _before(table: pa.Table, end: int) -> pa.Table:
    return table.filter(pc.less(table["appended"], end)) if table.num_rows else table


def _endpoints(
    table: pa.Table, profile_of: Callable[[str], Profile | None]
) -> Iterator[tuple[str | None, ArchivedEndpoint]]:
    """By endpoint, None for rows that name none."""
    if not table.num_rows:
        return
    named = table["endpoint_id"]
    known = pc.unique(named).to_pylist()
    for name in known:
        mine = pc.is_null(named) if name is None else pc.equal(named, name)
        yield name, ArchivedEndpoint(table if len(known) == 1 else table.filter(mine), profile_of(name or ""))


def _decisions(table: pa.Table) -> list[Record]:
    """Records of which only what was decided is known."""
    if not table.num_rows:
        return []
    none = dict.fromkeys(("id", "when", "project", "function_uri", "deployment"), "")
    return [
        Record(schema=SCHEMA, op=DECISION, origin=Origin("", 0), decision=each, **none)
        for each in documents_of(table["decision"])
    ]


def _merged(some: list[Completed], others: list[Completed]) -> list[Completed]:
    """In the order of the records that completed them."""
    if not some:
        return others
    return sorted([*some, *others], key=lambda item: (item.at.offset, item.at.index))
