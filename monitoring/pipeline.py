"""The record path without its stores: (what is remembered, some messages) to effects.

Deterministic: records, their order and their append times decide everything. Where a range ends shows only in the
names of its points.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from leeway.interfaces import Message, Point, State
from leeway.record import Incident, Position, Verdict
from leeway.settings import Settings

from .answers import Answers
from .archive_table import decision_table, feedback_table, prediction_table
from .batch import Batch
from .concept import check
from .decisions import APPLIED, STATES, UNKNOWN, UNWATCHED
from .decisions import read as decision_of
from .incidents import SEQUENTIAL, Incidents
from .intake import Intake
from .partitions import Partition, Partitions
from .series import Points
from .told import Told
from .traffic import Traffic
from .troubles import Containment, Trouble
from .unarchivable import tabled
from .verdicts import in_order, verdict_table
from .watch import ENDPOINT, Watch

PREFIXES = (
    "clock", "counts/", "dead-letters", "outbox/", "labels/", "incident/", "incidents/", "endpoint/", "profile/",
    "window/", "window-alarm/", "slice/", "rewards/",
)  # fmt: skip
_AT_ONCE = 500  # records that stay in a processor's cache while they are worked on


@dataclass(frozen=True)
class Effects:
    """What a range has to change in the stores; `incidents` opened, grew or closed."""

    points: list[Point]
    partitions: list[Partition]
    verdicts: list[Verdict]
    incidents: list[Incident]
    puts: dict[str, bytes]
    deletes: list[str]


class Pipeline:
    """What one shard's consumer remembers. `profile_of` gives the profile of an endpoint's model, None for none yet.
    `state` is only read: for what waits for its truth and is too much for memory."""

    def __init__(
        self,
        shard: int,
        settings: Settings,
        profile_of: Callable[[str], bytes | None],
        state: State | None = None,
    ):
        check(settings)
        self._shard, self._settings, self._profile_of = shard, settings, profile_of
        self._intake = Intake(shard, settings, state)
        self._incidents = Incidents()
        self._watches: dict[str, Watch] = {}

    @property
    def counts(self) -> dict[str, bytes]:
        """The counts by stream key, as JSON."""
        return self._intake.counts.encoded()

    @property
    def troubles(self) -> dict[str, Trouble]:
        """The endpoints that are not watched, and why."""
        return {name: watch.trouble for name, watch in self._watches.items() if watch.trouble is not None}

    def restore(
        self, stored: Mapping[str, bytes], offset: int = 0, stopped: Mapping[str, Trouble] | None = None
    ) -> None:
        """From the keys of PREFIXES that the state holds up to an offset. Watches that were stopped go on, but those
        of the troubles that are given."""
        self._intake.restore(stored)
        self._incidents.restore(stored)
        at = Position(self._shard, offset, 0)
        for key in stored:
            if key.startswith(ENDPOINT):
                endpoint = key.removeprefix(ENDPOINT)
                goes_on = endpoint not in (stopped or {})
                self._watches[endpoint] = Watch.restored(endpoint, stored, self._shard, self._settings, at, goes_on)

    def process(
        self,
        messages: Sequence[Message],
        range_name: str,
        stops: Mapping[str, Trouble] | None = None,
        refused: Mapping[Position, str] | None = None,
    ) -> Effects:
        """Work through the messages of a range, in order, each for the first time. Where something is raised for an
        endpoint: Unwatched, whose `stops` are for the next pass, after `restore`; see monitoring/troubles.py. Where
        rows make no table: Unarchivable; the next pass is to know which ones are `refused`."""
        points, partitions, traffic, verdicts = Points(), Partitions(), Traffic(), []
        passing = Containment(stops)
        start, at_once = 0, _AT_ONCE if passing.is_first else 1
        while start < len(messages):
            passing.begin(Position(self._shard, messages[start].offset, 0), self._watches)
            batch = self._intake.take(messages[start : start + at_once], refused)
            start += batch.messages
            for answers in batch.answers.values():
                traffic.add(answers)
            judged = in_order(self._judge(batch, points, passing))
            verdicts += judged
            for found in judged:
                self._incidents.hear(found)
            for key, told in batch.decisions.items():
                batch.decisions[key] = [self._decide(item, passing) for item in told]
            with tabled():
                self._archive(batch, partitions)
        traffic.write(points)
        self._archive_verdicts(verdicts, partitions)
        with tabled():
            tables = partitions.all()
        incidents = self._incidents.changes()
        passing.begin(Position(self._shard, messages[0].offset, 0), self._watches)
        puts, deletes = self._changes(passing)
        passing.end()
        puts |= {key: msgspec.json.encode(incident) for key, incident in incidents.items()}
        puts |= self._incidents.quiet_changes()
        return Effects(points.named(range_name), tables, verdicts, list(incidents.values()), puts, deletes)

    def _judge(self, batch: Batch, points: Points, passing: Containment) -> list[Verdict]:
        verdicts: list[Verdict] = []
        for (key, endpoint), answers in batch.answers.items():
            watch = self._watch(endpoint, key)
            profile = None if watch.is_equipped else self._profile_of(endpoint)
            verdicts += passing.let(watch, partial(_see, watch, profile, answers, points))
        for endpoint, completed in batch.completed.items():
            watch = self._watches[endpoint]
            verdicts += passing.let(watch, partial(watch.learn, completed, points))
        return verdicts

    def _decide(self, told: Told, passing: Containment) -> Told:
        """Do what a person decided, and say whether it could be done."""
        decision = decision_of(told.like.decision)
        if decision is None:
            return told
        at = Position(self._shard, told.at.offset, told.at.index)
        known = self._incidents.find(decision.incident)
        watch = None if known is None else self._watches[known.endpoint]
        if watch is None or watch.trouble is not None:
            return msgspec.structs.replace(told, outcome=UNKNOWN if watch is None else UNWATCHED)
        incident = self._incidents.decide(decision.incident, STATES[decision.do], at, decision.note)
        is_sequential = incident.kind == SEQUENTIAL
        passing.let(watch, lambda: watch.decide(decision.do, incident, is_sequential) or ())
        return msgspec.structs.replace(told, outcome=APPLIED)

    def _watch(self, endpoint: str, key: str) -> Watch:
        watch = self._watches.get(endpoint)
        if watch is None:
            watch = self._watches[endpoint] = Watch(endpoint, key, self._shard, self._settings)
        return watch

    def _archive(self, batch: Batch, partitions: Partitions) -> None:
        for answers in batch.answers.values():
            clocks = answers.clocks[answers.owner]
            partitions.add("prediction", answers.key, prediction_table(answers), clocks, answers.endpoint)
        for key, feedback in batch.feedback.items():
            clocks = [at.clock for at, size in zip(feedback.places, feedback.sizes) for _ in range(size)]
            partitions.add("feedback", key, feedback_table(self._shard, feedback), clocks)
        for key, told in batch.decisions.items():
            partitions.add("decision", key, decision_table(self._shard, told), [item.at.clock for item in told])

    def _archive_verdicts(self, verdicts: Sequence[Verdict], partitions: Partitions) -> None:
        by_key: dict[str, list[Verdict]] = {}
        for found in verdicts:
            by_key.setdefault(self._watches[found.endpoint].key, []).append(found)
        for key, some in by_key.items():
            partitions.add("verdict", key, verdict_table(some), [found.appended for found in some])

    def _changes(self, passing: Containment) -> tuple[dict[str, bytes], list[str]]:
        puts, deletes = self._intake.changes()

        def gather(watch: Watch) -> tuple[()]:
            put, deleted = watch.changes()
            puts.update(put)
            deletes.extend(deleted)
            return ()

        for watch in self._watches.values():
            passing.let(watch, partial(gather, watch))
        return puts, deletes


def _see(watch: Watch, profile: bytes | None, answers: Answers, points: Points) -> list[Verdict]:
    watch.equip(profile)
    answers.names = watch.names
    return watch.see(answers, points)
