"""What was told already, so that nobody is told twice: not after a restart, and not by two workers."""

from collections.abc import Iterable
from contextlib import suppress
from uuid import uuid4

import msgspec

from leeway.backends import connect
from leeway.errors import Conflict, StoreError
from leeway.settings import Settings

from .notice import Notice

_TOLD, _LEASE, _BEGUN = "told/", "lease", "begun/"
LEASE_S = 60.0


class Ledger:
    """By sink, and by what a notice is about: the state that was told last. A message that was sent and whose entry
    could not be written any more is sent again."""

    def __init__(self, settings: Settings):
        self._state, self._me = connect.state(settings, "notifications"), str(uuid4())

    def close(self) -> None:
        """Leave the lease to others."""
        with suppress(StoreError):  # it is away, or another one has the lease meanwhile
            held = self._state.get(_LEASE)
            if held is not None and msgspec.json.decode(held)["owner"] == self._me:
                self._state.commit(deletes=[_LEASE], expect={_LEASE: held})
        self._state.close()

    def is_mine(self, now: float) -> bool:
        """Whether this process is the one that sends, at `now` (epoch seconds): the first that asks, for a minute."""
        held = self._state.get(_LEASE)
        found = None if held is None else msgspec.json.decode(held)
        if found is not None and found["owner"] != self._me and now < found["until"]:
            return False
        mine = msgspec.json.encode({"owner": self._me, "until": now + LEASE_S})
        try:
            self._state.commit({_LEASE: mine}, expect={_LEASE: held})
        except Conflict:
            return False
        return True

    def untold(self, sink: str, notices: Iterable[Notice]) -> list[Notice]:
        """Those that a sink has to be told. What ended before this was known to begin is not; with a new sink nothing
        that is over is."""
        told = {key: value.decode() for key, value in self._state.scan(f"{_TOLD}{sink}/").items()}
        found, quiet = [], []
        is_new = self._state.get(f"{_BEGUN}{sink}") is None
        for notice in notices:
            known = told.get(f"{_TOLD}{sink}/{notice.key}")
            if known == notice.state:
                continue
            is_news = notice.begins or (known is not None and notice.state in _ENDS)
            is_news |= known is None and not is_new and notice.state == "cleared"
            (found if is_news else quiet).append(notice)
        if quiet or is_new:
            self.told(sink, quiet)
        return found

    def told(self, sink: str, notices: Iterable[Notice]) -> None:
        """Remember that a sink was told."""
        puts = {f"{_TOLD}{sink}/{notice.key}": notice.state.encode() for notice in notices}
        self._state.commit({**puts, f"{_BEGUN}{sink}": b"1"})


_ENDS = ("cleared", "moves")
