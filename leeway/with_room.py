"""Room for Python's frames, so that their memory is not given back and fetched again with every call."""

from collections.abc import Callable
from typing import Any

_SLOTS = 128 * 1024 // 8


def with_room(work: Callable[..., Any], *args: Any) -> Any:
    """What `work` returns, or raises; all that it calls finds 128 KiB for its frames.

    CPython 3.11 keeps the frames of a thread in pieces of 16 KiB, and unmaps a piece with the last frame in it. Calls
    that are made again and again just where a piece ends map and unmap memory each time: one predict_proba of a
    scikit-learn model takes 112 us at most depths of the stack, and 205 at some. A frame that is larger than a piece
    gets one of the next power of two that holds it, and what it calls gets the rest: this one says that it needs
    half of 256 KiB, and touches none of it.
    """
    return work(*args)


with_room.__code__ = with_room.__code__.replace(co_stacksize=_SLOTS)
