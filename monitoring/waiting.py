"""Waits until records are where they belong."""

import time
from collections.abc import Callable

from leeway.errors import StoreError
from leeway.outbox_file import SUFFIX
from leeway.settings import Settings

from .lag import Lag, lag_of
from .queries import Queries

_POLL_S = 0.1


def until_consumed(
    stream: str,
    expected: int,
    settings: Settings,
    queries: Queries,
    progress: Callable[[Lag], None] = lambda lag: None,
    patience_s: float = 60.0,
) -> Lag:
    """Return when `stream` holds at least `expected` messages and its consumers have committed all of them.

    StoreError where neither moved for `patience_s`.
    """
    last, since = None, time.monotonic()
    while True:
        lag = lag_of(stream, settings, queries)
        progress(lag)
        if lag.end >= expected and lag.waiting == 0:
            return lag
        if lag != last:
            last, since = lag, time.monotonic()
        if time.monotonic() - since >= patience_s:
            raise StoreError(
                f"stream {stream}: {lag.end:,} of {expected:,} messages came, {lag.consumed:,} were consumed, and "
                f"nothing moved for {patience_s:g} s; `leeway status` shows who reads it, `leeway logs` what they say"
            )
        time.sleep(_POLL_S)


def until_adopted(function_uri: str, workers: int, settings: Settings, patience_s: float = 60.0) -> None:
    """Return when a function has no more outboxes than workers: those that dead processes left were sent on.

    StoreError where that takes longer than `patience_s`. `function_uri` is project/function.
    """
    folder = settings.home / "outbox" / function_uri
    end = time.monotonic() + patience_s
    while len(left := list(folder.glob(f"[!.]*{SUFFIX}"))) > workers:
        if time.monotonic() >= end:
            raise StoreError(
                f"{folder} holds {len(left)} outboxes of {workers} workers, and nobody sent the others on within "
                f"{patience_s:g} s; `leeway logs {function_uri.rpartition('/')[2]}` may say why"
            )
        time.sleep(_POLL_S)
