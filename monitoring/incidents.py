"""Incidents: what somebody should look at. An alarm opens one per (endpoint, detector, feature); while it is open
there is no second. Later alarms join it, and what they add to the features that moved is kept.

What closes one (a clearing statistic, two quiet windows, a person's decision) sets `state` and `closed` through
`close`.
"""

from collections.abc import Mapping

import msgspec

from leeway.record import Incident, Position, Verdict

PREFIX = "incident/"
OPEN, CLEARED = "open", "cleared"

_Key = tuple[str, str, str]


class Incidents:
    """The incidents of one shard."""

    def __init__(self) -> None:
        self._open: dict[_Key, Incident] = {}
        self._changed: dict[str, Incident] = {}

    def alarm(self, verdict: Verdict) -> None:
        """Open an incident, or join the open one."""
        key = (verdict.endpoint, verdict.detector, verdict.feature)
        known = self._open.get(key)
        if known is None:
            self._set(key, _opened_by(verdict))
            return
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
        closed = msgspec.structs.replace(incident, state=state, closed=at, note=note)
        self._changed[PREFIX + closed.id] = closed

    def changes(self) -> dict[str, Incident]:
        """The incidents that opened, grew or closed since the last call, by their key in the state."""
        changed, self._changed = self._changed, {}
        return changed

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """From what the state holds."""
        for key, value in stored.items():
            if key.startswith(PREFIX):
                incident = read(value)
                if incident.state == OPEN:
                    self._open[(incident.endpoint, incident.detector, incident.feature)] = incident

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
