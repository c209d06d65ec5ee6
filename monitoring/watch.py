"""Everything that one endpoint is watched with: its profile, the windows of its rows, the errors of its answers."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from leeway.errors import ProfileError
from leeway.profile import Profile
from leeway.record import Incident, Position, Verdict
from leeway.settings import Settings

from .answers import Answers
from .concept import ConceptWatch
from .decisions import reference_after
from .label_values import Completed
from .moved_rows import MovedRows
from .packing import pack
from .series import LABEL_LAG_S, LABELLED, Points
from .troubles import Trouble, reason_of
from .verdicts import DETECTED
from .windows import WindowWatch

ENDPOINT, PROFILE = "endpoint/", "profile/"
NO_PROFILE, WARMING, WATCHING, TROUBLED = "no profile", "warming", "watching", "troubled"


class Watched(msgspec.Struct, frozen=True):
    """What is kept of an endpoint: its stream key, how it is watched (or why not), where its concept detector stands,
    what was said of its last windows, and where it is troubled, why and since when."""

    key: str
    state: str
    concept: Any = None
    windows: Any = None
    trouble: Trouble | None = None

    @property
    def told_trouble(self) -> dict[str, str] | None:
        """The trouble as JSON has it: {reason, since: shard-offset-index}."""
        return None if self.trouble is None else {"reason": self.trouble.reason, "since": str(self.trouble.since)}


class Watch:
    """One endpoint. Until its profile is there it only counts; windows and the concept detector begin when it comes.

    A watch that is stopped only counts, too, and remembers what it had seen. After a restart it goes on from there
    with what comes then: what came meanwhile was archived, and is not judged."""

    def __init__(self, endpoint: str, key: str, shard: int, settings: Settings):
        self.endpoint, self.key = endpoint, key
        self._shard, self._settings = shard, settings
        self._profile: bytes | None = None
        self._windows: WindowWatch | None = None
        self._concept: ConceptWatch | None = None
        self._moved = MovedRows()
        self._stored: dict[str, bytes] = {}
        self._no_profile = NO_PROFILE
        self._stopped: Watched | None = None
        self._left: tuple[dict[str, bytes], list[str]] = {}, []
        self.names: list[str] | None = None

    @classmethod
    def restored(
        cls, endpoint: str, stored: Mapping[str, bytes], shard: int, settings: Settings, at: Position, goes_on: bool
    ) -> "Watch":
        """As the state holds it; one that was stopped `goes_on` or stays so. Where it cannot be restored it is stopped
        from the position `at` on."""
        watched = msgspec.msgpack.decode(stored[ENDPOINT + endpoint], type=Watched)
        watch = cls(endpoint, watched.key, shard, settings)
        watch._stored = {key: stored[key] for key in (ENDPOINT + endpoint, PROFILE + endpoint) if key in stored}
        if watched.trouble is not None and not goes_on:
            watch._end(watched, watched.trouble)
            watch.equip(stored.get(PROFILE + endpoint))
            return watch
        try:
            watch._restore(watched, stored)
        except Exception as error:
            watch._end(watched, watched.trouble or Trouble(reason_of(error), at))
        return watch

    @property
    def trouble(self) -> Trouble | None:
        """Why it is stopped, and since when."""
        return None if self._stopped is None else self._stopped.trouble

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
            self._no_profile = str(error)
            return
        self._profile, self.names = data, profile.feature_names
        if self._stopped is not None:
            return
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

    def stop(self, trouble: Trouble) -> None:
        """Watch no more. What is remembered is as it is now; where that cannot be told, as the state holds it."""
        if self._stopped is not None:
            return
        try:
            self._left = self.changes()
            kept = self._watched()
        except Exception:
            kept = self._known()
        self._end(kept, trouble)

    def probe(self) -> None:
        """Raise what `changes` would raise of where it stands."""
        pack(self._watched())

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
        (puts, deletes), self._left = self._left, ({}, [])
        for part in (self._windows, self._concept):
            if part is not None:
                rows, gone = part.changes()
                puts, deletes = puts | rows, [*deletes, *gone]
        now = {ENDPOINT + self.endpoint: pack(self._watched())}
        if self._profile is not None:
            now[PROFILE + self.endpoint] = self._profile
        puts |= {key: value for key, value in now.items() if self._stored.get(key) != value}
        self._stored = now
        return puts, deletes

    def _restore(self, watched: Watched, stored: Mapping[str, bytes]) -> None:
        self.equip(stored.get(PROFILE + self.endpoint))
        if self._windows is not None and self._concept is not None:
            self._windows.restore(stored)
            self._moved.restore(watched.windows or [])
            if watched.concept is not None:
                self._concept.restore(watched.concept, stored)

    def _end(self, kept: Watched, trouble: Trouble) -> None:
        self._stopped = msgspec.structs.replace(kept, state=TROUBLED, trouble=trouble)
        self._windows = self._concept = None

    def _known(self) -> Watched:
        """What the state holds."""
        stored = self._stored.get(ENDPOINT + self.endpoint)
        return Watched(self.key, TROUBLED) if stored is None else msgspec.msgpack.decode(stored, type=Watched)

    def _watched(self) -> Watched:
        if self._stopped is not None:
            return self._stopped
        if self._concept is None:
            return Watched(self.key, self._no_profile)
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
