"""From messages to a batch: decoded, seen for the first time, predictions and truth joined.

Everything here goes record by record and keeps its state from one batch to the next, so that where a batch ends shows
in nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import msgspec

from leeway.interfaces import Message, State
from leeway.record import DECISION, EXPLAIN, FEEDBACK, INFER, OUTBOX_END, Position, Record, encode
from leeway.settings import Settings

from .answers import COUNTED, DUPLICATE_ID, TEST, Answers, is_whole
from .batch import Batch, count_answers, count_feedback
from .counts import CountBook, Counts
from .dead_letters import DeadLetter, DeadLetters
from .decode import Undecodable, decode
from .dedupe import Dedupe, Marks
from .label_values import LIVE, Orphan, Place, Who
from .labels import Labels
from .rewards import RewardBook
from .told import REWARD, Told, refusal, truths_of

_CLOCK = "clock"
_DAY_S = 86_400
_LONGEST_KEY = 240  # quoted it names a folder, whose name has at most 255 bytes
_MOST_COLUMNS = 10_000  # of a row: a table with more of them costs minutes

_LONG_KEY = f"a stream key (project/function/deployment) of more than {_LONGEST_KEY} bytes, quoted: use shorter names"
_NUL = "a name with the character NUL, which not every store can hold"
_WIDE = f"a row of more than {_MOST_COLUMNS:,} values: give fewer columns, or one nested value"


@dataclass(frozen=True, slots=True)
class _Key:
    """What is looked up for each record of a stream key; `refusal` is why it cannot name a folder, or ""."""

    deployment: str
    function_uri: str
    key: str
    marks: Marks
    counts: Counts
    refusal: str


_Handle = Callable[[Message, Place, Record, str], None]


class Intake:
    """What one shard remembers of its records."""

    def __init__(self, shard: int, settings: Settings, state: State | None = None):
        self._shard = shard
        self._clock = self._stored_clock = 0
        self.counts = CountBook()
        self._dead_letters = DeadLetters()
        self._dedupe = Dedupe()
        self._rewards = RewardBook()
        self._labels = Labels(settings.labels_age_s, settings.labels_count, state)
        self._batch = Batch()
        self._filled: Answers | None = None  # those that the last prediction went to
        self._keys: dict[str, _Key] = {}
        self._last: _Key | None = None
        self._refused: Mapping[Position, str] = {}
        self._by_op: dict[str, _Handle] = {
            INFER: self._predict, EXPLAIN: self._predict, FEEDBACK: self._feedback, DECISION: self._decide,
            OUTBOX_END: self._end,
        }  # fmt: skip

    def take(self, messages: Sequence[Message], refused: Mapping[Position, str] | None = None) -> Batch:
        """Work through some messages, in order, each for the first time; a batch ends after one with a decision, so
        that what comes later is judged by what was decided. Records that are `refused`, with a reason, become dead
        letters."""
        batch, self._refused = self._batch, refused or {}
        for message in messages:
            batch.messages += 1
            if message.appended > self._clock:
                self._advance(message.appended)
            for index, record in enumerate(decode(message.value)):
                at = Place(message.offset, index, message.appended, self._clock)
                if type(record) is Record:
                    self._take(message, at, record)
                else:
                    self._refuse(message, at, message.key, record)
            if batch.decisions:
                break
        return self._finish()

    def changes(self) -> tuple[dict[str, bytes], list[str]]:
        """What is to be put into the state, and deleted from it, since the last call."""
        puts: dict[str, bytes] = {}
        deletes: list[str] = []
        for part in (self.counts, self._dead_letters, self._dedupe, self._labels, self._rewards):
            put, deleted = part.changes()
            puts |= put
            deletes += deleted
        if self._clock != self._stored_clock:
            puts[_CLOCK], self._stored_clock = msgspec.json.encode(self._clock), self._clock
        return puts, deletes

    def restore(self, stored: Mapping[str, bytes]) -> None:
        """From what the state holds."""
        self._clock = self._stored_clock = msgspec.json.decode(stored.get(_CLOCK, b"0"))
        for part in (self.counts, self._dead_letters, self._dedupe, self._labels, self._rewards):
            part.restore(stored)

    def _advance(self, clock: int) -> None:
        if clock // _DAY_S > self._clock // _DAY_S:
            self._dedupe.expire(clock)
        self._clock = clock
        self._labels.expire(clock)

    def _take(self, message: Message, at: Place, record: Record) -> None:
        known, origin = self._last, record.origin
        if known is None or record.deployment != known.deployment or record.function_uri != known.function_uri:
            known = self._last = self._known(record)
        if record.op != OUTBOX_END and not known.marks.is_new(origin):
            known.counts.repeated += 1
            return
        if origin.dropped:
            known.counts.add_dropped(known.marks.newly_dropped(origin))
        handle = self._by_op.get(record.op)
        if known.refusal:
            self._refuse_record(message, at, known.key[:_LONGEST_KEY], record, known.refusal)
        elif handle is None:
            self._refuse_record(message, at, known.key, record, f"op {record.op!r} is not known")
        elif self._refused and (reason := self._refused.get(Position(self._shard, at.offset, at.index))):
            self._refuse_record(message, at, known.key, record, reason)
        else:
            handle(message, at, record, known.key)

    def _known(self, record: Record) -> "_Key":
        key = record.stream_key
        found = self._keys.get(key)
        if found is None:
            found = self._keys[key] = _Key(
                record.deployment, record.function_uri, key, self._dedupe.of(key), self.counts.of(key),
                _LONG_KEY if len(quote(key, "")) > _LONGEST_KEY else _NUL if "\0" in key else "",
            )  # fmt: skip
        return found

    def _predict(self, message: Message, at: Place, record: Record, key: str) -> None:
        if len(message.value) > 2 * _MOST_COLUMNS and _is_wide(record):
            self._refuse_record(message, at, key, record, _WIDE)
            return
        answers = self._filled
        if answers is None or answers.key is not key or answers.endpoint != (record.endpoint_id or key):
            if "\0" in record.endpoint_id:
                self._refuse_record(message, at, key, record, _NUL)
                return
            answers = self._filled = self._answers_of(key, record.endpoint_id or key)
        status = TEST if record.labels and record.is_test else COUNTED
        whole = is_whole(record)
        if whole and record.id:
            is_live = status is COUNTED and record.shadow_of is None and record.arm is None
            who = answers.live if is_live else self._who_answers(answers, record, status)
            ceased = self._labels.predict(who, record.id, record.resp.outputs, at)
            if ceased:
                self._cease(key, ceased)
            elif ceased is None and status is COUNTED:
                status = DUPLICATE_ID
        answers.taken.append((record, at, status, whole))

    def _answers_of(self, key: str, endpoint: str) -> Answers:
        answers = self._batch.answers.get((key, endpoint))
        if answers is None:
            live = self._labels.who(Who(key, endpoint, LIVE))
            answers = self._batch.answers[(key, endpoint)] = Answers(self._shard, key, endpoint, live)
        return answers

    def _who_answers(self, answers: Answers, record: Record, status: str) -> int:
        """A test, a shadow, or an arm."""
        if status is COUNTED and record.shadow_of is None:
            return self._labels.who(Who(answers.key, answers.endpoint, LIVE, record.arm or ""))
        lane = TEST if status is TEST else f"shadow:{answers.endpoint}"
        return self._labels.who(Who(answers.key, answers.endpoint, lane))

    def _cease(self, key: str, rows: int) -> None:
        """Rows of truth that waited have met their prediction."""
        feedback = self.counts.of(key).feedback
        feedback.pending -= rows
        feedback.joined += rows

    def _feedback(self, message: Message, at: Place, record: Record, key: str) -> None:
        reason = refusal(record)
        if reason is not None:
            self._refuse_record(message, at, key, record, reason)
            return
        truths = truths_of(record) or [(None, None)]
        if record.labels and record.is_test:
            outcomes = [TEST] * len(truths)
        elif record.request.truth:
            outcomes = self._labels.truth(key, record.request.id, truths, at)
        else:
            outcomes = [REWARD]
        if outcomes[0] is not TEST:
            self._reward(record, key)
        told = Told(record, at, truths, outcomes)
        self._batch.feedback.setdefault(key, []).append(told)

    def _reward(self, record: Record, key: str) -> None:
        """Count a reward for the arm that it speaks of, where that is known."""
        reward = record.request.reward
        if reward is not None and (arm := record.arm or self._labels.arm(key, record.request.id)):
            self._rewards.add(key, arm, reward if isinstance(reward, list) else [reward])

    def _decide(self, message: Message, at: Place, record: Record, key: str) -> None:
        self._batch.decisions.setdefault(key, []).append(Told(record, at))

    def _end(self, message: Message, at: Place, record: Record, key: str) -> None:
        self.counts.of(key).lost += self._dedupe.of(key).end(record.origin, at.clock) or 0

    def _refuse_record(self, message: Message, at: Place, key: str, record: Record, reason: str) -> None:
        raw = encode(record) if message.value[:1] == b"[" else message.value
        self._refuse(message, at, key, Undecodable(reason, raw))

    def _refuse(self, message: Message, at: Place, key: str, what: Undecodable) -> None:
        self.counts.of(key).dead_lettered += 1
        position = Position(self._shard, at.offset, at.index)
        self._dead_letters.add(DeadLetter(what.reason, position, at.appended, key, what.raw))

    def _finish(self) -> Batch:
        batch, self._batch, self._filled = self._batch, Batch(), None
        batch.completed = self._labels.take_completed()
        for answers in batch.answers.values():
            count_answers(answers, self.counts.of(answers.key))
        for key, feedback in batch.feedback.items():
            count_feedback(feedback, self.counts.of(key))
        for key, decisions in batch.decisions.items():
            self.counts.of(key).decisions += len(decisions)
        for key, lost in self._dedupe.take_lost().items():
            self.counts.of(key).lost += lost
        for orphan in self._labels.take_orphans():
            self._bury(orphan)
        return batch

    def _bury(self, orphan: Orphan) -> None:
        feedback = self.counts.of(orphan.key).feedback
        feedback.pending -= 1
        feedback.orphan += 1
        position = Position(self._shard, orphan.came.offset, orphan.came.index)
        raw = msgspec.json.encode({"id": orphan.id, "rows": [orphan.row], "truth": [orphan.truth]})
        reason = "orphan: no prediction came for this truth"
        self._dead_letters.add(DeadLetter(reason, position, orphan.came.appended, orphan.key, raw))


def _is_wide(record: Record) -> bool:
    rows = [*record.request.inputs, record.features or []]
    return any(isinstance(row, (list, dict)) and len(row) > _MOST_COLUMNS for row in rows)
