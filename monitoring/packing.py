"""How values lie in the state: MessagePack, with the numbers that it cannot hold turned into floats."""

from typing import Any

import msgspec

_encode = msgspec.msgpack.encode
unpack = msgspec.msgpack.decode


def pack(value: Any) -> bytes:
    """MessagePack of `value`; whole numbers of more than 64 bits become floats."""
    try:
        return _encode(value)
    except OverflowError:
        return _encode(narrow(msgspec.to_builtins(value, builtin_types=(bytes,))))


def narrow(value: Any) -> Any:
    """A JSON value in which whole numbers of more than 64 bits are floats, or infinite."""
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return float(f"{value:.17e}") if abs(value) < 10**308 else float("inf") * (1 if value > 0 else -1)
    if isinstance(value, (list, tuple)):
        return [narrow(item) for item in value]
    if isinstance(value, dict):
        return {narrow(key): narrow(item) for key, item in value.items()}
    return value
