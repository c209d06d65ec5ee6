"""Waiting for what another process does."""

import time
from collections.abc import Callable


def until(holds: Callable[[], bool], what: str, patience_s: float = 60.0) -> None:
    """Look again and again, as nothing tells this process of it; AssertionError where it takes too long."""
    end = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.05)
