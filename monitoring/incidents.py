"""Incidents: what somebody should look at. An alarm opens one per (endpoint, detector, feature); while it is open
there is no second. Later alarms join it, and what they add to the features that moved is kept.

Two quiet windows clear a window's incident; a sequential one is cleared by the verdict that says so. A person's
decision ends it for good, also after it was cleared.
"""

from collections.abc import Mapping

import msgspec

from leeway.record import Incident, Position, Verdict

from .verdicts import CLEARS, DETECTED, NO_DETECTION

PREFIX = "incident/"
QUIET = "incidents/quiet"
OPEN, CLEARED, CONFIRMED, DISMISSED = "open", "cleared", "confirmed", "dismissed"
SEQUENTIAL = "concept_drift"  # the kind of those whose quiet verdicts clear nothing
_QUIET_WINDOWS = 2

_Key = tuple[str, str, str]


class Incidents:
    """The incidents of one shard."""

    def __init__(self) -> None:
        self._open: dict[_Key, Incident] = {}
        self._cleared: dict[str, Incident] = {}  # by id
        self._quiet: dict[str, int] = {}  # by id, quiet windows since the last alarm
        self._stored_quiet: dict[str, int] = {}
        self._changed: dict[str, Incident] = {}

    def hear(self, verdict: Verdict) -> None:
        """Take a verdict: an alarm opens or joins an incident, quiet windows clear one."""
        if verdict.status == DETECTED:
            self.alarm(verdict)
        elif CLEARS in verdict.details:
            self.clear(verdict)
        elif verdict.status == NO_DETECTION and verdict.kind != SEQUENTIAL:
            self._hush(verdict)

    def alarm(self, verdict: Verdict) -> None:
        """Open an incident, or join the open one."""
        key = (verdict.endpoint, verdict.detector, verdict.feature)
        known = self._open.get(key)
        if known is None:
            self._set(key, _opened_by(verdict))
            return
        self._quiet.pop(known.id, None)
        added = [feature for feature in verdict.features if feature not in known.features]
        if added:
            self._set(key, msgspec.structs.replace(known, features=[*known.features, *added]))

    def clear(self, verdict: Verdict) -> None:
        """End the open incident, if there is one, whose level a verdict finds to be back."""
        key = (verdict.endpoint, verdict.detector, verdict.feature)
        if key in self._open:
            self.close(key, CLEARED, verdict.at)

    def close(self, key: _Key, state: str, at: Position, note: str = "") -> None:
        """End the open incident of (endpoint, detector, feature): cleared, confirmed or dismissed."""
        incident = self._open.pop(key)
        self._quiet.pop(incident.id, None)
        closed = msgspec.structs.replace(incident, state=state, closed=at, note=note)
        if state == CLEARED:
            self._cleared[closed.id] = closed
        self._changed[PREFIX + closed.id] = closed

    def decide(self, id: str, state: str, at: Position, note: str) -> Incident | None:
        """Confirm or dismiss one that is open or cleared: what it is now, None where there is none such."""
        found = self.find(id)
        if found is None:
            return None
        if found.state == OPEN:
            self.close((found.endpoint, found.detector, found.feature), state, at, note)
        else:
            del self._cleared[id]
            self._changed[PREFIX + id] = msgspec.structs.replace(found, state=state, note=note)
        return self._changed[PREFIX + id]

    def find(self, id: str) -> Incident | None:
        """The incident that can be decided about: open or cleared."""
        return next((incident for incident in self._open.values() if incident.id == id), self._cleared.get(id))

    def changes(self) -> dict[str, Incident]:
        """The incidents that opened, grew or closed since the last call, by their key in the state."""
        changed, self._changed = self._changed, {}
        return changed

    def quiet_changes(self) -> dict[str, bytes]:
        """What else is to be put into the state since the last call."""
        if self._quiet == self._stored_quiet:
            return {}
        self._stored_quiet = dict(self._quiet)
        return {QUIET: msgspec.json.encode(self._quiet)}

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """From what the state holds."""
        self._quiet = msgspec.json.decode(stored.get(QUIET, b"{}"), type=dict[str, int])
        self._stored_quiet = dict(self._quiet)
        for key, value in stored.items():
            if key.startswith(PREFIX):
                incident = read(value)
                if incident.state == OPEN:
                    self._open[(incident.endpoint, incident.detector, incident.feature)] = incident
                elif incident.state == CLEARED:
                    self._cleared[incident.id] = incident

    def _hush(self, verdict: Verdict) -> None:
        key = (verdict.endpoint, verdict.detector, verdict.feature)
        known = self._open.get(key)
        if known is None:
            return
        self._quiet[known.id] = self._quiet.get(known.id, 0) + 1
        if self._quiet[known.id] >= _QUIET_WINDOWS:
            self.close(key, CLEARED, verdict.at)

    def _set(self, key: _Key, incident: Incident) -> None:
        self._open[key] = self._changed[PREFIX + incident.id] = incident


def read(value: bytes) -> Incident:
    """One incident as it lies in the state and on the events stream."""
    return msgspec.json.decode(value, type=Incident)


def _opened_by(verdict: Verdict) -> Incident:
    return Incident(
        id=verdict.id, endpoint=verdict.endpoint, detector=verdict.detector, kind=verdict.kind, state=OPEN,
        opened=verdict, feature=verdict.feature, features=verdict.features,
    )  # fmt: skip
