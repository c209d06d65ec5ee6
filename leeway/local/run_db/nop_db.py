"""What MLRun hands out where it knows no service: objects that got one before `leeway.start()` keep it for ever."""

from typing import Any


def disown() -> None:
    """From now on each use of MLRun's NopDB says why it cannot go on, instead of answering None to everything."""
    from mlrun.db.nopdb import NopDB
    from mlrun.errors import MLRunRuntimeError

    def __getattribute__(self: Any, name: str) -> Any:
        if name.startswith("__") or name == "connect":
            return object.__getattribute__(self, name)
        raise MLRunRuntimeError(
            "this object was used before leeway.start() was called, and holds on to a database that keeps nothing: "
            f"call leeway.start() first, then make the object anew (asked for: {name})"
        )

    NopDB.__getattribute__ = __getattribute__
