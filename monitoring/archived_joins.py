"""Predictions and truth of which it is plain that they meet, joined as columns.

Plain is an id that one live prediction has and at most one record of truth that came later, in time, with rows that
the prediction has, each once; what the label book would make of it depends on no other record. An id that is not plain
goes to the book with all its records; all ids do where there are more records than the book remembers, as then it
forgets by number.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leeway.settings import Settings

from .archived_answers import ArchivedEndpoint
from .archived_truth import ArchivedTruth
from .label_values import Completed, Entry, Place


@dataclass(frozen=True)
class Joins:
    """`is_other` by rank (place in the stream): a record for the label book. Joined records of truth in stream order:
    their rank and number, the source, number and rank of their prediction."""

    endpoints: Sequence[ArchivedEndpoint]
    truth: ArchivedTruth
    is_other: np.ndarray
    ranks: np.ndarray
    numbers: np.ndarray
    sources: np.ndarray
    predictions: np.ndarray
    prediction_ranks: np.ndarray

    def others(self, start: int, stop: int, also: np.ndarray) -> list[int]:
        """The ranks from `start` to `stop` that are for the label book, or that `also` marks."""
        return (start + np.flatnonzero(self.is_other[start:stop] | also[start:stop])).tolist()

    def completed(
        self, start: int, stop: int, places: Sequence[Place], clocks: np.ndarray
    ) -> dict[int, list[Completed]]:
        """By source, the rows that truth of rank `start` to `stop` completes, whose `places` these are."""
        span = slice(*np.searchsorted(self.ranks, (start, stop)))
        sources = self.sources[span]
        return {
            source: self._of(source, span.start + np.flatnonzero(sources == source), start, places, clocks)
            for source in np.unique(sources).tolist()
        }

    def _of(
        self, source: int, which: np.ndarray, start: int, places: Sequence[Place], clocks: np.ndarray
    ) -> list[Completed]:
        endpoint, truth = self.endpoints[source], self.truth
        numbers, predictions = self.numbers[which], self.predictions[which]
        firsts = endpoint.firsts[predictions]
        sizes = endpoint.ends[predictions] - firsts
        ids = [endpoint.ids[number] for number in predictions.tolist()]
        entries = [
            Entry(0, id, clock, offset, index, size, [])
            for id, clock, offset, index, size in zip(
                ids, clocks[self.prediction_ranks[which]].tolist(), endpoint.offsets[firsts].tolist(),
                endpoint.indexes[firsts].tolist(), sizes.tolist(),
            )
        ]  # fmt: skip
        told = truth.ends[numbers] - truth.firsts[numbers]
        owner = np.repeat(np.arange(len(which)), told)
        at = np.arange(len(owner)) - np.repeat(np.cumsum(told) - told, told) + truth.firsts[numbers][owner]
        rows = truth.rows[at]
        outputs = endpoint.outputs_at(firsts[owner] + rows)
        places = [places[rank] for rank in (self.ranks[which] - start).tolist()]
        values = truth.values
        return [
            Completed(entries[k], row, output, values[i], places[k])
            for k, row, output, i in zip(owner.tolist(), rows.tolist(), outputs, at.tolist())
        ]


def joins_of(
    endpoints: Sequence[ArchivedEndpoint],
    truth: ArchivedTruth,
    ranks: Sequence[np.ndarray],
    clocks: np.ndarray,
    settings: Settings,
) -> Joins:
    """`ranks` of the records of each endpoint, then of truth; `clocks` by rank."""
    sizes = [len(endpoint.ids) for endpoint in endpoints]
    sources = np.repeat(np.arange(len(endpoints)), sizes)
    numbers = np.concatenate([np.zeros(0, int), *map(np.arange, sizes)]).astype(int)
    p_ranks = np.concatenate([np.zeros(0, int), *ranks[: len(endpoints)]]).astype(int)
    t_ranks = ranks[len(endpoints)]
    p_codes, t_codes = _codes([id for endpoint in endpoints for id in endpoint.ids], truth.ids)
    is_asked = _flags([endpoint.is_whole for endpoint in endpoints]) & _flags(
        [[bool(id) for id in endpoint.ids] for endpoint in endpoints]
    )
    is_odd = _flags([endpoint.is_test for endpoint in endpoints]) | _flags(
        [endpoint.is_shadow for endpoint in endpoints]
    )
    told = truth.rows[truth.firsts] >= 0
    is_told = told & ~np.array(truth.is_test, bool)
    known = max(int(codes.max()) + 1 if len(codes) else 0 for codes in (p_codes, t_codes))
    asked, odd, said = (
        np.bincount(codes[chosen], minlength=known)
        for codes, chosen in ((p_codes, is_asked), (p_codes, is_asked & is_odd), (t_codes, is_told))
    )
    alone = (asked == 1) & (odd == 0)
    prediction_of = np.zeros(known, int)
    prediction_of[p_codes[is_asked]] = np.flatnonzero(is_asked)
    meets = is_told & alone[t_codes] & (said[t_codes] == 1)
    mine = prediction_of[t_codes]
    in_time = np.zeros(len(t_codes), bool)
    if len(p_ranks):
        waited = clocks[t_ranks] - clocks[p_ranks[mine]]
        in_time = (t_ranks > p_ranks[mine]) & (waited <= settings.labels_age_s)
        widths = np.concatenate([endpoint.ends - endpoint.firsts for endpoint in endpoints])
        in_time &= _are_rows_of(truth, widths[mine])
    joined = meets & in_time
    plain = alone & ((said == 0) | (np.bincount(t_codes[joined], minlength=known) == 1))
    plain |= asked == 0  # truth that never meets its prediction moves no detector
    if len(clocks) > settings.labels_count:
        plain[:] = False
        joined[:] = False
    is_other = np.zeros(len(clocks), bool)
    is_other[p_ranks[is_asked & ~plain[p_codes]]] = True
    is_other[t_ranks[is_told & ~plain[t_codes]]] = True
    which = np.flatnonzero(joined)
    which = which[np.argsort(t_ranks[which], kind="stable")]
    return Joins(
        endpoints, truth, is_other, ranks=t_ranks[which], numbers=which, sources=sources[mine[which]],
        predictions=numbers[mine[which]], prediction_ranks=p_ranks[mine[which]],
    )  # fmt: skip


def _are_rows_of(truth: ArchivedTruth, widths: np.ndarray) -> np.ndarray:
    """Whether each record of truth names rows of its prediction only, and none twice (in ascending order)."""
    if not len(truth.firsts):
        return np.zeros(0, bool)
    falls = np.zeros(len(truth.rows), bool)
    falls[1:] = truth.rows[1:] <= truth.rows[:-1]
    falls[truth.firsts] = False
    last = np.maximum.reduceat(truth.rows, truth.firsts)
    return ~np.logical_or.reduceat(falls, truth.firsts) & (last < widths)


def _codes(asked: Sequence[str], told: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """A number for each id, the same for the same id."""
    codes = pc.dictionary_encode(pa.array([*asked, *told], pa.string())).indices.to_numpy()
    return codes[: len(asked)], codes[len(asked) :]


def _flags(parts: Sequence[Sequence[bool]]) -> np.ndarray:
    return np.array([flag for part in parts for flag in part], bool)
