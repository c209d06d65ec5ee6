"""What people and controllers decided about a deployment, as the archive holds it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from .source import Source

_MOST = 80  # characters


@dataclass(frozen=True)
class Decided:
    """When it was appended (epoch seconds), and what was decided, in words."""

    appended: int
    text: str


def decisions(source: Source, key: str, days: Sequence[str]) -> list[Decided]:
    """Of one stream key in some days, in order."""
    table = source.archive.read("decision", key, ("appended", "decision"), days)
    if not table.num_rows:
        return []
    return [Decided(row["appended"], _text(row["decision"])) for row in table.to_pylist() if row["decision"]]


def _text(decision: str) -> str:
    found = json.loads(decision)
    if "do" in found and "incident" in found:
        return f"{found['do']} of incident {found['incident']}"[:_MOST]
    if isinstance(weights := found.get("weights"), dict):
        shares = ", ".join(f"{name} {share} %" for name, share in weights.items())
        return f"{found.get('do', 'weights')}: {shares}"[:_MOST]
    return " ".join(f"{name} {value}" if not isinstance(value, dict) else name for name, value in found.items())[:_MOST]
