"""Bodies and messages that nobody would send, made from good ones. Seeded."""

import copy
import json
from collections.abc import Iterator
from random import Random
from typing import Any

_ODD: list[Any] = [
    None, True, 0, -1, 2**63, 2**70, -(2**64), 1e308, float("nan"), float("inf"), "", "x", "\ud800", "é\0", [], {},
    [[]], [None], [[1, "a"]], {"a": {}}, "1", "x" * 300, [[0.5, 0.5, 0.5]] * 3, [1, 2, 3],
]  # fmt: skip


def generated(good: list[dict[str, Any]], seed: int, count: int) -> Iterator[bytes]:
    """`count` variations: values, keys and whole branches replaced, removed, nested; bytes cut, changed, put in."""
    random = Random(seed)
    for _ in range(count):
        document = json.loads(json.dumps(random.choice(good)))
        for _ in range(random.choice([0, 1, 1, 2, 5])):
            _change(document, random)
        if random.random() < 0.05:
            document = random.choice([[document], [document, 7], 7, None])
        data = json.dumps(document, ensure_ascii=random.random() < 0.9).encode("utf-8", "surrogatepass")
        yield _damaged(data, random) if random.random() < 0.25 else data


def _change(value: Any, random: Random) -> None:
    """Change something within an object or a list."""
    if isinstance(value, dict):
        key = random.choice([*value, "id", "labels"])
        where: Any = value
    elif isinstance(value, list) and value:
        where, key = value, random.randrange(len(value))
    else:
        return
    kind = random.random()
    inner = where.get(key) if isinstance(where, dict) else where[key]
    if kind < 0.5 and isinstance(inner, (dict, list)) and inner:
        _change(inner, random)
    elif kind < 0.85:
        where[key] = copy.deepcopy(random.choice(_ODD))
    elif kind < 0.95:
        where.pop(key, None) if isinstance(where, dict) else where.pop(key)
    else:
        where[key] = _nested(random.choice([3, 50, 400]), inner)


def _nested(depth: int, value: Any) -> Any:
    for _ in range(depth):
        value = [value]
    return value


def _damaged(data: bytes, random: Random) -> bytes:
    at = random.randrange(len(data) + 1)
    kind = random.random()
    if kind < 0.3:
        return data[:at]
    if kind < 0.6:
        return data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]
    if kind < 0.8:
        return data[:at] + random.randbytes(random.randrange(20)) + data[at:]
    return random.randbytes(random.randrange(200))
