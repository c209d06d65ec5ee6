"""What was found, for whoever wants to show it: counts, incidents, verdicts, series, rows. Reads, never writes."""

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Self

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from leeway.backends import connect
from leeway.interfaces import Archive, Point
from leeway.profile import Profile
from leeway.record import Incident, Position, Verdict
from leeway.settings import Settings

from . import dead_letters, incidents, late_truth
from .counts import Counts, add
from .dead_letters import DeadLetter
from .erase import EraseList, is_about
from .projection import CONSUMER, COUNTS, ENDPOINT, INCIDENT, Counted, Shown, check_version
from .unerased import Unerased
from .verdicts import in_order, verdicts_of
from .watch import PROFILE, Watched

_NO_PROFILE = (b"",)


class Queries:
    """Reads what the consumers of one home wrote, without what was erased. Close it, or use it as a context manager.
    StoreError where that has another version."""

    def __init__(self, settings: Settings):
        self.settings = settings
        self._shared = connect.state(settings, "shared")
        self._is_checked = False
        self._series = connect.series(settings)
        self._erased = EraseList(self._shared)
        self.archive: Archive = Unerased(connect.archive(settings), self._erased)
        self._profiles: dict[str, tuple[bytes, Profile]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._shared.close()
        self._series.close()

    def endpoints(self) -> list[str]:
        """Every endpoint that answered something, in order."""
        return [key.removeprefix(ENDPOINT) for key in self._shown(ENDPOINT)]

    def watched(self) -> dict[str, Watched]:
        """How each endpoint is watched: its stream key, and its state (no profile, warming, watching)."""
        found = self._shown(ENDPOINT)
        return {key.removeprefix(ENDPOINT): msgspec.msgpack.decode(value, type=Watched) for key, value in found.items()}

    def profile(self, endpoint: str) -> Profile | None:
        """The profile that an endpoint's model brought with it, None where it brought none."""
        found = self._shared.get(PROFILE + endpoint)
        if found is None:
            return None
        if self._profiles.get(endpoint, _NO_PROFILE)[0] != found:  # decoding takes milliseconds
            self._profiles[endpoint] = found, Profile.from_bytes(found)
        return self._profiles[endpoint][1]

    def consumers(self) -> list[Shown]:
        """Every consumer that ever committed, and how far it has come."""
        return [msgspec.json.decode(value, type=Shown) for value in self._shown(CONSUMER).values()]

    def deployments(self) -> list[str]:
        """The stream keys (project/function/deployment) that were counted, in order."""
        return sorted({counted.key for counted in self._counted() if counted.key})

    def counts(self, deployment: str | None = None) -> dict:
        """The counts of a deployment (its name or its stream key), or of everything; see monitoring/counts.py."""
        found = [
            msgspec.json.decode(counted.counts, type=Counts)
            for counted in self._counted()
            if deployment is None or deployment in (counted.key, counted.key.rpartition("/")[2])
        ]
        return msgspec.to_builtins(add(found))

    def counts_by_place(self) -> dict[tuple[str, int, str], Counts]:
        """The counts by stream, shard and stream key."""
        found = {}
        for place, value in self._shown(COUNTS).items():
            counted = msgspec.json.decode(value, type=Counted)
            stream, _, shard = place.removeprefix(COUNTS).removesuffix(f"/{counted.key}").rpartition("/")
            found[stream, int(shard), counted.key] = msgspec.json.decode(counted.counts, type=Counts)
        return found

    def incidents(self, endpoint: str | None = None) -> list[Incident]:
        """Every incident, open or closed, in the order in which they opened."""
        found = [incidents.read(value) for value in self._shown(INCIDENT).values()]
        found = [incident for incident in found if endpoint in (None, incident.endpoint)]
        return sorted(found, key=lambda incident: (incident.opened.at, incident.endpoint, incident.detector))

    def verdicts(self, endpoint: str, detector: str | None = None) -> list[Verdict]:
        """The verdicts on an endpoint, in stream order."""
        table = self.archive.read("verdict", self._key_of(endpoint))
        if table.num_rows == 0:
            return []
        chosen = pc.equal(table["endpoint"], endpoint)
        if detector is not None:
            chosen = pc.and_(chosen, pc.equal(table["detector"], detector))
        return in_order(verdicts_of(table.filter(chosen)))

    def series(
        self, series: str, endpoint: str, start: int = 0, end: int = 2**62, step: int = 1, feature: str = ""
    ) -> list[Point]:
        """A series of an endpoint; see monitoring/series.py for their names."""
        return self._series.read(series, endpoint, start, end, step, feature)

    def rows(self, first: Position, last: Position, deployment: str | None = None) -> pa.Table:
        """The archived prediction rows of one shard from one position up to another, both included."""
        table = self.archive.read("prediction", deployment)
        if table.num_rows == 0:
            return table
        after = pc.or_(
            pc.greater(table["offset"], first.offset),
            pc.and_(pc.equal(table["offset"], first.offset), pc.greater_equal(table["index"], first.index)),
        )
        before = pc.or_(
            pc.less(table["offset"], last.offset),
            pc.and_(pc.equal(table["offset"], last.offset), pc.less_equal(table["index"], last.index)),
        )
        return table.filter(pc.and_(pc.equal(table["shard"], first.shard), pc.and_(after, before)))

    def late_truth(self, endpoint: str) -> pa.Table:
        """The rows of an endpoint whose truth came too late, as monitoring/late_truth.py joined them last."""
        table = self.archive.read(late_truth.KIND, self._key_of(endpoint))
        return table.filter(pc.equal(table["endpoint_id"], endpoint)) if table.num_rows else table

    def dead_letters(self) -> list[DeadLetter]:
        """What could not be used, by stream and position."""
        return [letter for _, _, letter in self.letters()]

    def letters(self, with_erased: bool = False) -> list[tuple[Shown, str, DeadLetter]]:
        """The same with the consumer that has each, and the key under which it lies in that consumer's state; without
        those about erased ids, unless they are asked for."""
        found = [
            (shown, key, dead_letters.read(value))
            for shown in self.consumers()
            for key, value in self._state_of(shown).items()
        ]
        keys = [] if with_erased else self._erased.deployments()
        for key in keys:
            ids = self._erased.ids(key)
            found = [each for each in found if not is_about(each[2], key, ids)]
        return found

    def discard(self, shown: Shown, keys: Iterable[str]) -> None:
        """Take dead letters away that were put back; the consumer never looks at them again."""
        state = connect.state(self.settings, shown.state)
        try:
            state.commit(deletes=keys)
        finally:
            state.close()

    def stream_of(self, key: str) -> str | None:
        """The stream in which the records of a stream key were found, None where none were."""
        found = [
            shown.stream
            for shown in self.consumers()
            if self._shared.get(f"{COUNTS}{shown.stream}/{shown.shard}/{key}") is not None
        ]
        return found[0] if found else None

    def _state_of(self, shown: Shown) -> Mapping[str, bytes]:
        if not shown.state:
            return {}
        state = connect.state(self.settings, shown.state)
        try:
            return state.scan(dead_letters.PREFIX)
        finally:
            state.close()

    def _shown(self, prefix: str) -> dict[str, bytes]:
        if not self._is_checked:
            check_version(self._shared)
            self._is_checked = True
        return self._shared.scan(prefix)

    def _counted(self) -> list[Counted]:
        return [msgspec.json.decode(value, type=Counted) for value in self._shown(COUNTS).values()]

    def _key_of(self, endpoint: str) -> str | None:
        watched = self.watched().get(endpoint)
        return None if watched is None else watched.key
