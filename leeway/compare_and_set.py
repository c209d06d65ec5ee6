"""Changing one value of a state where others may do so too."""

from collections.abc import Callable
from typing import TypeVar

from .errors import Conflict
from .interfaces import State

_Made = TypeVar("_Made")


def compare_and_set(state: State, key: str, make: Callable[[bytes | None], tuple[bytes, _Made]]) -> _Made:
    """Put what `make` makes of the value that is there (None for none); what it returned beside it. Of two at a time
    both count, one after the other: `make` is called again where another one was faster."""
    while True:
        before = state.get(key)
        value, made = make(before)
        try:
            state.commit({key: value}, expect={key: before})
            return made
        except Conflict:
            continue
