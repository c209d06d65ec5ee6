"""From messages to a batch: decoded, seen for the first time, predictions and truth joined.

Everything here goes record by record and keeps its state from one batch to the next, so that where a batch ends shows
in nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import msgspec

from leeway.interfaces import Message, State
from leeway.record import DECISION, EXPLAIN, FEEDBACK, INFER, OUTBOX_END, TOO_LARGE, Position, Record, encode, is_test
from leeway.record_reader import RecordReader
from leeway.record_writer import Said, said_of
from leeway.settings import Settings

from .answers import Answers, is_whole
from .batch import Batch, count_answers, count_feedback
from .counts import CountBook, Counts
from .dead_letters import DeadLetter, DeadLetters
from .decode import Undecodable, decode, is_deep
from .dedupe import Dedupe, Marks
from .label_values import LIVE, Orphan, Place, Who
from .labels import Labels
from .outcomes import COUNTED, DUPLICATE_ID, REWARD, TEST
from .rewards import RewardBook
from .told import Feedback, Told, refusal, truths_of

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


_Handle = Callable[[Message, Place, Record, Said, str], None]


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
        self._reader = RecordReader()
        self._batch = Batch()
        self._filled: Answers | None = None  # those that the last prediction went to
        self._keys: dict[str, _Key] = {}
        self._last: _Key | None = None
        self._refused: Mapping[Position, str] = {}
        self._by_op: dict[str, _Handle] = {
            INFER: self._predict, EXPLAIN: self._predict, FEEDBACK: self._feedback, DECISION: self._decide,
            OUTBOX_END: self._end, TOO_LARGE: self._miss,
        }  # fmt: skip

    def take(self, messages: Sequence[Message], refused: Mapping[Position, str] | None = None) -> Batch:
        """Work through some messages, in order, each for the first time; a batch ends after one with a decision, so
        that what comes later is judged by what was decided. Records that are `refused`, with a reason, become dead
        letters."""
        self._refused = refused or {}
        batch, read = self._batch, self._reader.read
        for message in messages:
            batch.messages += 1
            if message.appended > self._clock:
                self._advance(message.appended)
            record = None if is_deep(message.value) else read(message.value)
            if record is None:
                self._take_any(message)
            else:
                self._take(message, Place(message.offset, 0, message.appended, self._clock), *record)
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

    def _take_any(self, message: Message) -> None:
        """A message that is read as a whole: a record that begins in a new way, several, or none."""
        found = decode(message.value)
        for index, record in enumerate(found):
            at = Place(message.offset, index, message.appended, self._clock)
            if type(record) is Record:
                self._take(message, at, record, said_of(record))
            else:
                self._refuse(message, at, message.key, record)
        if len(found) == 1 and type(found[0]) is Record:
            self._reader.learn(message.value, found[0])

    def _take(self, message: Message, at: Place, like: Record, said: Said) -> None:
        known = self._last
        if known is None or like.deployment != known.deployment or like.function_uri != known.function_uri:
            known = self._last = self._known(like)
        if like.op != OUTBOX_END and not known.marks.is_new(said.origin):
            known.counts.repeated += 1
            return
        if said.origin.dropped:
            known.counts.add_dropped(known.marks.newly_dropped(said.origin))
        handle = self._by_op.get(like.op)
        if known.refusal:
            self._refuse_record(message, at, known.key[:_LONGEST_KEY], like, known.refusal)
        elif handle is None:
            self._refuse_record(message, at, known.key, like, f"op {like.op!r} is not known")
        elif self._refused and (reason := self._refused.get(Position(self._shard, at.offset, at.index))):
            self._refuse_record(message, at, known.key, like, reason)
        else:
            handle(message, at, like, said, known.key)

    def _known(self, record: Record) -> "_Key":
        key = record.stream_key
        found = self._keys.get(key)
        if found is None:
            found = self._keys[key] = _Key(
                record.deployment, record.function_uri, key, self._dedupe.of(key), self.counts.of(key),
                _LONG_KEY if len(quote(key, "")) > _LONGEST_KEY else _NUL if "\0" in key else "",
            )  # fmt: skip
        return found

    def _predict(self, message: Message, at: Place, like: Record, said: Said, key: str) -> None:
        if len(message.value) > 2 * _MOST_COLUMNS and _is_wide(like, said):
            self._refuse_record(message, at, key, like, _WIDE)
            return
        answers = self._filled
        if answers is None or answers.key is not key or answers.endpoint != (like.endpoint_id or key):
            if "\0" in like.endpoint_id:
                self._refuse_record(message, at, key, like, _NUL)
                return
            answers = self._filled = self._answers_of(key, like.endpoint_id or key)
        status = TEST if said.labels and is_test(said.labels) else COUNTED
        whole = is_whole(like, said)
        if whole and said.id:
            is_live = status is COUNTED and said.shadow_of is None and said.arm is None
            who = answers.live if is_live else self._who_answers(answers, said, status)
            ceased = self._labels.predict(who, said.id, said.resp.outputs, at)
            if ceased:
                self._cease(key, ceased)
            elif ceased is None and status is COUNTED:
                status = DUPLICATE_ID
        answers.take(like, said, at, status, whole)

    def _answers_of(self, key: str, endpoint: str) -> Answers:
        answers = self._batch.answers.get((key, endpoint))
        if answers is None:
            live = self._labels.who(Who(key, endpoint, LIVE))
            answers = self._batch.answers[(key, endpoint)] = Answers(self._shard, key, endpoint, live)
        return answers

    def _who_answers(self, answers: Answers, said: Said, status: str) -> int:
        """A test, a shadow, or an arm."""
        if status is COUNTED and said.shadow_of is None:
            return self._labels.who(Who(answers.key, answers.endpoint, LIVE, said.arm or ""))
        lane = TEST if status is TEST else f"shadow:{answers.endpoint}"
        return self._labels.who(Who(answers.key, answers.endpoint, lane))

    def _cease(self, key: str, rows: int) -> None:
        """Rows of truth that waited have met their prediction."""
        feedback = self.counts.of(key).feedback
        feedback.pending -= rows
        feedback.joined += rows

    def _feedback(self, message: Message, at: Place, like: Record, said: Said, key: str) -> None:
        request = said.request
        reason = refusal(request)
        if reason is not None:
            self._refuse_record(message, at, key, like, reason)
            return
        truths = truths_of(request) or [(None, None)]
        if said.labels and is_test(said.labels):
            outcomes = [TEST] * len(truths)
        elif request.truth:
            outcomes = self._labels.truth(key, request.id, truths, at)
        else:
            outcomes = [REWARD]
        if outcomes[0] is not TEST:
            self._reward(said, key)
        feedback = self._batch.feedback.get(key)
        if feedback is None:
            feedback = self._batch.feedback[key] = Feedback()
        feedback.take(like, said, at, truths, outcomes)

    def _reward(self, said: Said, key: str) -> None:
        """Count a reward for the arm that it speaks of, where that is known."""
        reward = said.request.reward
        if reward is not None and (arm := said.arm or self._labels.arm(key, said.request.id)):
            self._rewards.add(key, arm, reward if isinstance(reward, list) else [reward])

    def _decide(self, message: Message, at: Place, like: Record, said: Said, key: str) -> None:
        self._batch.decisions.setdefault(key, []).append(Told(like, said, at))

    def _end(self, message: Message, at: Place, like: Record, said: Said, key: str) -> None:
        self.counts.of(key).lost += self._dedupe.of(key).end(said.origin, at.clock) or 0

    def _miss(self, message: Message, at: Place, like: Record, said: Said, key: str) -> None:
        """The stream did not take the record."""
        self._refuse_record(message, at, key, like, said.error or "too large for its stream")

    def _refuse_record(self, message: Message, at: Place, key: str, whole: Record, reason: str) -> None:
        """What was one of several in a message is kept by itself; it was read as a whole."""
        raw = encode(whole) if message.value.startswith(b"[") else message.value
        self._refuse(message, at, key, Undecodable(reason, raw))

    def _refuse(self, message: Message, at: Place, key: str, what: Undecodable) -> None:
        self.counts.of(key).dead_lettered += 1
        position = Position(self._shard, at.offset, at.index)
        self._dead_letters.add(DeadLetter(what.reason, position, at.appended, key, what.raw))

    def _finish(self) -> Batch:
        batch, self._batch, self._filled = self._batch, Batch(), None
        batch.completed = self._labels.take_completed()
        for answers in batch.answers.values():
            answers.end()
            count_answers(answers, self.counts.of(answers.key))
        for key, feedback in batch.feedback.items():
            feedback.end()
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


def _is_wide(like: Record, said: Said) -> bool:
    rows = [*said.request.inputs, like.features or []]
    return any(isinstance(row, (list, dict)) and len(row) > _MOST_COLUMNS for row in rows)
