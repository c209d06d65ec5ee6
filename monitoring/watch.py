"""Everything that one endpoint is watched with: its profile, the windows of its rows, the errors of its answers."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from leeway.errors import ProfileError
from leeway.profile import Profile
from leeway.record import Incident, Verdict
from leeway.settings import Settings

from .answers import Answers
from .concept import ConceptWatch
from .decisions import reference_after
from .label_values import Completed
from .moved_rows import MovedRows
from .packing import pack
from .series import LABEL_LAG_S, LABELLED, Points
from .verdicts import DETECTED
from .windows import WindowWatch

ENDPOINT, PROFILE = "endpoint/", "profile/"
NO_PROFILE, WARMING, WATCHING = "no profile", "warming", "watching"


class Watched(msgspec.Struct, frozen=True):
    """What is kept of an endpoint: its stream key, how it is watched (or why not), where its concept detector stands,
    and what was said of its last windows."""

    key: str
    state: str
    concept: Any = None
    windows: Any = None


class Watch:
    """One endpoint. Until its profile is there it only counts; windows and the concept detector begin when it comes."""

    def __init__(self, endpoint: str, key: str, shard: int, settings: Settings):
        self.endpoint, self.key = endpoint, key
        self._shard, self._settings = shard, settings
        self._profile: bytes | None = None
        self._windows: WindowWatch | None = None
        self._concept: ConceptWatch | None = None
        self._moved = MovedRows()
        self._stored: dict[str, bytes] = {}
        self._trouble = NO_PROFILE
        self.names: list[str] | None = None

    @classmethod
    def restored(cls, endpoint: str, stored: Mapping[str, bytes], shard: int, settings: Settings) -> "Watch":
        """As the state holds it."""
        watched = msgspec.msgpack.decode(stored[ENDPOINT + endpoint], type=Watched)
        watch = cls(endpoint, watched.key, shard, settings)
        watch.equip(stored.get(PROFILE + endpoint))
        if watch._windows is not None and watch._concept is not None:
            watch._windows.restore(stored)
            watch._concept.restore(watched.concept, stored)
            watch._moved.restore(watched.windows or [])
        watch._stored = {key: stored[key] for key in (ENDPOINT + endpoint, PROFILE + endpoint) if key in stored}
        return watch

    @property
    def is_equipped(self) -> bool:
        return self._profile is not None

    def equip(self, data: bytes | None) -> None:
        """Begin to watch against a profile; None, or one that cannot be read: not yet."""
        if data is None:
            return
        try:
            profile = Profile.from_bytes(data)
        except ProfileError as error:
            self._trouble = str(error)
            return
        self._profile, self.names = data, profile.feature_names
        self._windows = WindowWatch(self.endpoint, profile, self._settings)
        self._concept = ConceptWatch(self.endpoint, self._shard, profile, self._settings)

    def see(self, answers: Answers, points: Points) -> list[Verdict]:
        """Rows came in."""
        if self._windows is None:
            return []
        self._concept.see(answers)
        verdicts = self._windows.see(answers, points)
        self._moved.add(verdicts)
        return verdicts

    def learn(self, completed: Sequence[Completed], points: Points) -> list[Verdict]:
        """Rows got their truth."""
        for clock, lags_s in _lags_s(completed).items():
            points.count(LABELLED, self.endpoint, clock, len(lags_s))
            points.extent(LABEL_LAG_S, self.endpoint, clock, min(lags_s), max(lags_s), len(lags_s))
            points.count(LABEL_LAG_S, self.endpoint, clock, 0, float(sum(lags_s)))
        if self._concept is None:
            return []
        verdicts = self._concept.learn(completed, points)
        return [self._moved.explained(found) if found.status == DETECTED else found for found in verdicts]

    def decide(self, do: str, incident: Incident, is_sequential: bool) -> None:
        """Go on with the reference that a person's decision makes."""
        if self._profile is None or self._windows is None or self._concept is None:
            return
        if is_sequential and incident.feature:
            self._concept.forget_slice(incident.feature)
            return
        known = Profile.from_bytes(self._profile)
        profile = reference_after(do, incident, known, self._windows.alarmed, is_sequential)
        self._profile = profile.to_bytes()
        if is_sequential:
            self._concept.refer_to(profile)
        else:
            self._windows.refer_to(profile)

    def changes(self) -> tuple[dict[str, bytes], list[str]]:
        """What is to be put into the state, and deleted from it, since the last call."""
        puts, deletes = ({}, []) if self._windows is None else self._windows.changes()
        if self._concept is not None:
            rows, gone = self._concept.changes()
            puts, deletes = puts | rows, [*deletes, *gone]
        now = {ENDPOINT + self.endpoint: pack(self._watched())}
        if self._profile is not None:
            now[PROFILE + self.endpoint] = self._profile
        puts |= {key: value for key, value in now.items() if self._stored.get(key) != value}
        self._stored = now
        return puts, deletes

    def _watched(self) -> Watched:
        if self._concept is None:
            return Watched(self.key, self._trouble)
        state = WARMING if self._concept.is_warming else WATCHING
        self._moved.forget()
        return Watched(self.key, state, self._concept.snapshot(), self._moved.snapshot())


def _lags_s(completed: Sequence[Completed]) -> dict[int, list[int]]:
    """By second in which truth came, how old each of its rows was."""
    found: dict[int, list[int]] = {}
    for item in completed:
        clock = item.at.clock
        lags_s = found.get(clock)
        if lags_s is None:
            lags_s = found[clock] = []
        lags_s.append(clock - item.entry.clock)
    return found
