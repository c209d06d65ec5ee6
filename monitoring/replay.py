"""Archived rows through the pipeline again: with the same settings the same verdicts, with others what would have been.

Everything from the beginning is worked through, since a verdict rests on all that came before it. Of the other
deployments of its shard a replay knows nothing: where so many predictions wait that the label book forgets by number
(`labels.count`), it forgets later here.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from leeway.backends import connect
from leeway.errors import LeewayError
from leeway.profile import Profile
from leeway.record import Verdict
from leeway.settings import Settings

from .archived_intake import ArchivedIntake
from .batch import Batch
from .pipeline import Pipeline
from .queries import Queries
from .series import Points
from .troubles import Containment
from .verdicts import CLEARS, DETECTED, in_order


@dataclass(frozen=True)
class Replayed:
    """`verdicts` in stream order, `rows` that were predicted, and how many `rows_per_s` of processor time."""

    verdicts: list[Verdict]
    rows: int
    rows_per_s: float


class Replay:
    """The archive of one stream key (project/function/deployment), or of the deployment that is called so."""

    def __init__(self, settings: Settings, deployment: str):
        self._settings = settings
        known = connect.archive(settings).deployments("prediction")
        keys = [key for key in known if deployment in (key, key.rpartition("/")[2])]
        if len(keys) != 1:
            raise LeewayError(
                f"{len(keys)} deployments {deployment!r} in the archive; it has {', '.join(known) or 'none'}"
            )
        self.key = keys[0]
        with Queries(settings) as queries:
            self._endpoints = [name for name, watched in queries.watched().items() if watched.key == self.key]
            self._profiles = {name: queries.profile(name) for name in self._endpoints}

    def run(self, settings: Settings, start: int = 0, end: int = 2**62) -> Replayed:
        """The verdicts whose last record was appended from `start` up to `end` (epoch seconds)."""
        began = time.process_time()
        profiles = {name: self._bytes(profile) for name, profile in self._profiles.items()}
        with Queries(self._settings) as queries:
            intake = ArchivedIntake(queries.archive, self.key, settings, self._profiles, end)
        verdicts = _Replaying(intake.shard, settings, profiles.get).judge(intake.batches())
        seconds = max(time.process_time() - began, 1e-9)
        found = [verdict for verdict in verdicts if start <= verdict.appended < end]
        return Replayed(found, intake.rows, intake.rows / seconds)

    def recorded(self, start: int = 0, end: int = 2**62) -> list[Verdict]:
        """What was found at the time, in stream order."""
        with Queries(self._settings) as queries:
            found = [verdict for name in self._endpoints for verdict in queries.verdicts(name)]
        found = [verdict for verdict in found if start <= verdict.appended < end]
        return sorted(found, key=lambda verdict: (verdict.at, verdict.endpoint, verdict.detector))

    @staticmethod
    def _bytes(profile: Profile | None) -> bytes | None:
        return None if profile is None else profile.to_bytes()


class _Replaying(Pipeline):
    """Judges what was taken in before; writes nothing."""

    def judge(self, batches: Iterable[Batch]) -> list[Verdict]:
        """The verdicts on batches in stream order; Unwatched where a detector raises."""
        verdicts: list[Verdict] = []
        passing = Containment(None)
        for batch in batches:
            judged = in_order(self._judge(batch, Points(), passing))
            verdicts += judged
            for found in judged:
                self._incidents.hear(found)
            for told in batch.decisions.values():
                for each in told:
                    self._decide(each, passing)
        return verdicts


def what_if(named: dict[str, tuple[Settings, list[Verdict]]]) -> list[dict[str, Any]]:
    """A row per setting, endpoint and detector: alarms, where the first one came, and what they cost.

    `labelled` rows are those of the stretches and of none other; `expected_false_alarms` is what the price allows on
    them where nothing drifts; `first_alarm` counts labelled rows up to it; `delay_doubled` is the expected delay for a
    doubled error level.
    """
    table = []
    for name, (settings, verdicts) in named.items():
        for endpoint, detector in sorted({(verdict.endpoint, verdict.detector) for verdict in verdicts}):
            mine = [v for v in verdicts if (v.endpoint, v.detector) == (endpoint, detector)]
            table.append({"settings": name, "endpoint": endpoint, "detector": detector, **_row(mine, settings)})
    return table


def _row(verdicts: list[Verdict], settings: Settings) -> dict[str, Any]:
    alarms = [verdict for verdict in verdicts if verdict.status == DETECTED]
    stretches = [verdict for verdict in verdicts if verdict.status != DETECTED and CLEARS not in verdict.details]
    rows = sum(verdict.rows for verdict in stretches)
    before = [stretch for stretch in stretches if alarms and stretch.at <= alarms[0].at]
    arl0 = verdicts[0].details.get("arl0")
    return {
        "alarms": len(alarms),
        "rows": rows,
        "first_alarm_after": sum(stretch.rows for stretch in before) if alarms else None,
        "first_alarm_at": str(alarms[0].at) if alarms else None,
        "expected_false_alarms": rows / arl0 if arl0 else None,
        "delay_doubled": verdicts[0].details.get("delay_doubled"),
        "threshold": verdicts[0].threshold,
    }
