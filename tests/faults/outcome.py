"""Everything that the stores of a home hold, with ranges out of sight."""

from typing import Any

import msgspec

from leeway.clock import ManualClock
from leeway.interfaces import Message
from leeway.settings import Settings
from monitoring.queries import Queries
from tests.faults.faults import Faults
from tests.faults.processes import Worker

KINDS = ("prediction", "feedback", "decision", "verdict")


def outcome(settings: Settings) -> dict[str, Any]:
    """Verdicts byte by byte, points merged over ranges, archived rows by position, counts, incidents, dead letters."""
    with Queries(settings) as queries:
        archive, series = queries.archive, queries._series
        return {
            "verdicts": [msgspec.json.encode(v) for e in queries.endpoints() for v in queries.verdicts(e)],
            "points": [(name, series.read(name[0], name[1], feature=name[2])) for name in series.names()],
            "tables": {kind: archive.read(kind).to_pylist() for kind in KINDS},
            "counts": queries.counts(),
            "incidents": queries.incidents(),
            "dead letters": sorted((letter.position, letter.reason) for letter in queries.dead_letters()),
        }


def undisturbed(settings: Settings, profiles: dict[str, bytes], stream: list[Message]) -> dict[str, Any]:
    """What one consumer makes of the same messages, in the empty home of these settings, when nothing goes wrong."""
    worker = Worker(settings.home, settings, ManualClock(), Faults(0, set()))
    try:
        worker._shared.commit(profiles)
        worker.start()
        worker.consumer.consume(stream)
    finally:
        worker.bury()
    return outcome(settings)
