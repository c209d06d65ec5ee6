"""From the archive of one stream key to batches: what Intake makes of the messages of a stream, column by column.

Records come in the order of their positions, predictions and truth are joined by the same label book. Nothing is
decoded, deduplicated or refused again: what is in the archive was taken once.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leeway.interfaces import Archive
from leeway.profile import Profile
from leeway.record import DECISION, SCHEMA, Origin, Record
from leeway.settings import Settings

from .archived_answers import ArchivedAnswers, ArchivedEndpoint, are_tests, record_starts
from .archived_values import documents_of
from .batch import Batch
from .label_values import LIVE, TEST, Place, Who
from .labels import Labels
from .told import Told

_AT_ONCE = 5_000  # records of a batch
_FEEDBACK, _DECISION = -1, -2  # sources; an endpoint is one by its number


class ArchivedIntake:
    """Everything that was archived of a stream key and appended before `end` (epoch seconds)."""

    def __init__(
        self, archive: Archive, key: str, settings: Settings, profile_of: Callable[[str], Profile | None], end: int
    ):
        self.shard = self.rows = 0
        self._key = key
        self._labels = Labels(settings.labels_age_s, settings.labels_count)
        self._truth_taken: list[tuple[str, list[tuple[int, Any]], bool]] = []
        self._decisions: list[Record] = []
        self._names: list[str] = []
        self._endpoints: list[ArchivedEndpoint] = []
        parts = [
            *self._read_predictions(_before(archive.read("prediction", key), end), profile_of),
            self._read_feedback(_before(archive.read("feedback", key), end)),
            self._read_decisions(_before(archive.read("decision", key), end)),
        ]
        offsets, indexes, appended, sources, numbers = (np.concatenate(column) for column in zip(*parts))
        order = np.lexsort((indexes, offsets))
        self._offsets, self._indexes, self._appended = offsets[order], indexes[order], appended[order]
        self._sources, self._numbers = sources[order], numbers[order]
        self._clocks = np.maximum.accumulate(self._appended)

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

    def _batch(self, start: int, stop: int) -> Batch:
        span = slice(start, stop)
        columns = (self._offsets, self._indexes, self._appended, self._clocks)
        places = list(map(Place, *(column[span].tolist() for column in columns)))
        batch = Batch(messages=len(places))
        answers = self._answers(span, places)
        batch.answers = {(self._key, self._names[source]): each for source, each in answers.items()}
        self._labels.expire(places[0].clock)
        self._take(span, places, answers, batch)
        batch.completed = self._labels.take_completed()
        self._labels.take_orphans()
        self._labels.changes()
        return batch

    def _answers(self, span: slice, places: list[Place]) -> dict[int, ArchivedAnswers]:
        sources, numbers = self._sources[span], self._numbers[span]
        found = {}
        for source in np.unique(sources[sources >= 0]).tolist():
            mine = np.flatnonzero(sources == source)
            first, last = int(numbers[mine[0]]), int(numbers[mine[-1]]) + 1
            at = places if len(mine) == len(places) else [places[i] for i in mine.tolist()]
            found[source] = ArchivedAnswers(self._endpoints[source], first, last, self.shard, at)
            self.rows += len(found[source].outputs)
        return found

    def _take(self, span: slice, places: list[Place], answers: dict[int, ArchivedAnswers], batch: Batch) -> None:
        """Record by record, in order: predictions and truth to the label book, decisions to the batch."""
        predict = {source: self._predict(source, each) for source, each in answers.items()}
        labels, clock = self._labels, places[0].clock
        for source, number, at in zip(self._sources[span].tolist(), self._numbers[span].tolist(), places):
            if at.clock != clock:
                clock = at.clock
                labels.expire(clock)
            if source >= 0:
                predict[source](number, at)
            elif source == _FEEDBACK:
                id, truths, is_test = self._truth_taken[number]
                if truths and not is_test:
                    labels.truth(self._key, id, truths, at)
            else:
                batch.decisions.setdefault(self._key, []).append(Told(self._decisions[number], at))

    def _predict(self, source: int, answers: ArchivedAnswers) -> Callable[[int, Place], None]:
        endpoint, labels, name = self._endpoints[source], self._labels, self._names[source]
        lanes = [labels.who(Who(self._key, name, lane)) for lane in (LIVE, f"shadow:{name}", TEST)]
        ids, is_test, is_shadow, is_whole = endpoint.ids, endpoint.is_test, endpoint.is_shadow, endpoint.is_whole
        first, outputs, counted = answers.start, answers.by_record(), answers.counted

        def predict(number: int, at: Place) -> None:
            i = number - first
            if is_whole[number] and ids[number]:
                lane = lanes[2 if is_test[number] else is_shadow[number]]
                if labels.predict(lane, ids[number], outputs[i], at) is None:
                    counted[i] = False
            if is_test[number] or not is_whole[number]:
                counted[i] = False

        return predict

    def _read_predictions(
        self, table: pa.Table, profile_of: Callable[[str], Profile | None]
    ) -> Iterator[tuple[np.ndarray, ...]]:
        if table.num_rows:
            self.shard = table["shard"][0].as_py()
        named = table["endpoint_id"] if table.num_rows else pa.chunked_array([], pa.string())
        known = pc.unique(named).to_pylist()
        for given in known:
            mine = pc.is_null(named) if given is None else pc.equal(named, given)
            rows = table if len(known) == 1 else table.filter(mine)
            endpoint = ArchivedEndpoint(rows, profile_of(given or ""))
            self._names.append(given or self._key)
            self._endpoints.append(endpoint)
            starts = endpoint.firsts
            yield (
                endpoint.offsets[starts],
                endpoint.indexes[starts],
                endpoint.appended,
                *_named(len(self._endpoints) - 1, len(starts)),
            )

    def _read_feedback(self, table: pa.Table) -> tuple[np.ndarray, ...]:
        if not table.num_rows:
            return _NOTHING
        columns, starts = _records(table)
        self.shard = table["shard"][0].as_py()
        records = table.take(pa.array(starts))
        told = list(zip(table["request_row"].to_pylist(), documents_of(table["truth"])))
        ends = [*starts[1:].tolist(), table.num_rows]
        truths = [told[first:last] for first, last in zip(starts.tolist(), ends)]
        truths = [[pair for pair in some if pair[0] is not None] for some in truths]
        ids = [id or "" for id in records["request_id"].to_pylist()]
        self._truth_taken = list(zip(ids, truths, are_tests(records["labels"])))
        return *columns, *_named(_FEEDBACK, len(starts))

    def _read_decisions(self, table: pa.Table) -> tuple[np.ndarray, ...]:
        if not table.num_rows:
            return _NOTHING
        columns, starts = _records(table)
        self.shard = table["shard"][0].as_py()
        found = documents_of(table["decision"].take(pa.array(starts)))
        self._decisions = [_decision(each) for each in found]
        return *columns, *_named(_DECISION, len(starts))


_NOTHING = tuple(np.zeros(0, int) for _ in range(5))


def _before(table: pa.Table, end: int) -> pa.Table:
    return table.filter(pc.less(table["appended"], end)) if table.num_rows else table


def _records(table: pa.Table) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Offset, index and append time of each record, and its first row."""
    offsets, indexes = (table[name].to_numpy() for name in ("offset", "index"))
    starts = record_starts(offsets, indexes)
    return (offsets[starts], indexes[starts], table["appended"].to_numpy()[starts]), starts


def _named(source: int, records: int) -> tuple[np.ndarray, np.ndarray]:
    return np.full(records, source), np.arange(records)


def _decision(what: Any) -> Record:
    """A record of which only what was decided is known."""
    origin = Origin("", 0)
    return Record(
        schema=SCHEMA,
        id="",
        op=DECISION,
        when="",
        project="",
        function_uri="",
        deployment="",
        origin=origin,
        decision=what,
    )
