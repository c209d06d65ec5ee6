"""The stream on Kafka: one topic; its partitions are the shards."""

import logging
import re
import threading
from collections.abc import Mapping, Sequence
from time import monotonic, sleep
from typing import Any
from zlib import crc32

import confluent_kafka as ck
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from leeway.errors import StoreError, TooLarge
from leeway.interfaces import Message, Stream

from .kafka_options import kafka_options

LARGEST = 64 << 20
_APPEND_TIME = "message.timestamp.type"
_POLL_S, _SHORT_S = 0.1, 0.02
_QUIET = logging.getLogger("leeway.kafka.client")
_QUIET.addHandler(logging.NullHandler())
_QUIET.propagate = False
_SOON_RIGHT = {
    ck.KafkaError.NOT_LEADER_FOR_PARTITION,
    ck.KafkaError.LEADER_NOT_AVAILABLE,
    ck.KafkaError.UNKNOWN_TOPIC_OR_PART,
    ck.KafkaError.NOT_COORDINATOR,
    ck.KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    ck.KafkaError.COORDINATOR_NOT_AVAILABLE,
}
_PRODUCER = {
    "enable.idempotence": "true",
    "acks": "all",
    "linger.ms": "2",
    "message.max.bytes": str(LARGEST),
    "compression.type": "lz4",
    "queue.buffering.max.messages": "1000000",
    "queue.buffering.max.kbytes": "1048576",
}
_READER = {
    "group.id": "leeway-reader",
    "enable.auto.commit": "false",
    "enable.auto.offset.store": "false",
    "enable.partition.eof": "true",
    "auto.offset.reset": "error",
    "fetch.queue.backoff.ms": "20",
    "fetch.wait.max.ms": "50",
    "fetch.message.max.bytes": "4194304",
    "queued.max.messages.kbytes": "32768",
}


class KafkaStream(Stream):
    """Offsets are the partition's; they may have gaps, where transactions wrote. A key's shard is crc32(key) modulo
    the number of partitions when the stream was opened. The append time is the broker's, so a topic whose
    message.timestamp.type is not LogAppendTime is refused.

    Delivery: an idempotent producer, acks=all. What the broker has not confirmed after `timeout_s` is given up, and
    counts as not taken although it may have been: whoever appends it again may double it. Reading belongs to no group
    of Kafka's: what a group committed is mirrored there for tools that show lag. Slashes of the name become dots.
    """

    def __init__(self, brokers: str, name: str, shards: int, options: str, timeout_s: float):
        self.topic = _topic(brokers, name)
        self._name = f"kafka://{brokers}/{self.topic}"
        self._timeout_s = timeout_s
        self._options = {
            **kafka_options(options),
            "bootstrap.servers": brokers,
            "reconnect.backoff.ms": "50",
            "reconnect.backoff.max.ms": "1000",
            "logger": _QUIET,
        }
        self._lock = threading.RLock()
        self._producer: ck.Producer | None = None
        self._readers: dict[int, _Reader] = {}
        self._groups: dict[str, ck.Consumer] = {}
        self._bounds: ck.Consumer | None = None
        self.shards = self._opened(shards)

    def append(self, entries: Sequence[tuple[str, bytes]]) -> int:
        if not entries:
            return 0
        with self._lock:
            delivery = _Delivery(len(entries))
            self._produce(entries, delivery)
            taken = delivery.taken
            if taken < len(entries):
                self._drop_producer()
        if taken == 0 and delivery.is_too_large:
            raise TooLarge(
                f"stream {self._name}: a message of {len(entries[0][1]):,} bytes is too large: {delivery.error}; the "
                f"topic's max.message.bytes says what it takes, at most {LARGEST:,}"
            )
        if taken == 0:
            raise StoreError(f"stream {self._name} takes nothing: {delivery.error or 'no answer'}; is the broker up?")
        return taken

    def read(self, shard: int, offset: int, limit: int) -> list[Message]:
        with self._lock:
            oldest, end = self.bounds(shard)
            first = max(offset, oldest)
            if first >= end or limit < 1:
                return []
            try:
                return self._translated(self._reader(shard).read, first, min(end, first + limit), self._timeout_s)
            except StoreError:
                self._readers.pop(shard).close()
                raise

    def bounds(self, shard: int) -> tuple[int, int]:
        self._refuse_unknown(shard)
        until = monotonic() + self._timeout_s
        with self._lock:
            while True:
                if self._bounds is None:  # one of its own, as requests wait behind a fetch that waits for messages
                    self._bounds = ck.Consumer({**self._options, **_READER})
                at = ck.TopicPartition(self.topic, shard)
                try:
                    return self._translated(self._bounds.get_watermark_offsets, at, timeout=self._timeout_s)
                except StoreError as error:
                    self._bounds, failed = None, self._bounds
                    failed.close()
                    # A client that met a broker just started may take partitions for unknown from then on.
                    if _code(error.__cause__) != ck.KafkaError._UNKNOWN_PARTITION or monotonic() > until:
                        raise
                    sleep(_SHORT_S)

    def commit(self, group: str, shard: int, offset: int) -> None:
        with self._lock:
            if offset <= self.committed(group, shard):
                return
            at = [ck.TopicPartition(self.topic, shard, offset)]
            for result in self._translated(self._group(group).commit, offsets=at, asynchronous=False) or ():
                if result.error:
                    raise StoreError(f"stream {self._name}: group {group!r} cannot commit: {result.error.str()}")

    def committed(self, group: str, shard: int) -> int:
        with self._lock:
            at = [ck.TopicPartition(self.topic, shard)]
            found = self._translated(self._group(group).committed, at, timeout=self._timeout_s)[0]
            if found.error:
                raise StoreError(f"stream {self._name}: group {group!r}: {found.error.str()}")
            return max(0, found.offset)

    def close(self) -> None:
        with self._lock:
            self._drop_producer()
            readers, self._readers = self._readers, {}
            groups, self._groups = self._groups, {}
            bounds, self._bounds = self._bounds, None
            for reader in (*readers.values(), *groups.values(), *([bounds] if bounds else [])):
                reader.close()

    def _produce(self, entries: Sequence[tuple[str, bytes]], delivery: "_Delivery") -> None:
        """Hand them over in order up to the first that the client refuses, then wait for the broker."""
        until = monotonic() + self._timeout_s
        if self._producer is None:
            self._producer = ck.Producer({**self._options, **_PRODUCER})
        producer = self._producer
        for index, (key, value) in enumerate(entries):
            partition = crc32(key.encode()) % self.shards
            try:
                producer.produce(self.topic, value, key, partition, on_delivery=delivery.report(index))
            except BufferError:
                break
            except (ck.KafkaException, ck.KafkaError) as error:
                delivery.refuse(index, error.args[0] if isinstance(error, ck.KafkaException) else error)
                break
        else:
            index += 1
        producer.flush(max(0.0, until - monotonic()))
        if delivery.answered < index:
            producer.purge()
            producer.flush(1.0)

    def _drop_producer(self) -> None:
        """Its queue may hold what was given up, which must not arrive after what is appended next."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge()
            producer.flush(1.0)

    def _refuse_unknown(self, shard: int) -> None:
        if not 0 <= shard < self.shards:
            raise StoreError(f"stream {self._name} has shards 0 to {self.shards - 1}, not {shard}")

    def _reader(self, shard: int) -> "_Reader":
        if shard not in self._readers:
            self._readers[shard] = _Reader(self._options, self.topic, shard)
        return self._readers[shard]

    def _group(self, group: str) -> ck.Consumer:
        if group not in self._groups:
            self._groups[group] = ck.Consumer({**self._options, **_READER, "group.id": group})
        return self._groups[group]

    def _opened(self, shards: int) -> int:
        """How many partitions the topic has; it gets `shards` where it is not there."""
        admin = self._translated(AdminClient, dict(self._options))
        known = self._translated(admin.list_topics, self.topic, timeout=self._timeout_s).topics.get(self.topic)
        if known is None or known.error is not None:
            self._create(admin, shards)
            known = self._partitions(admin)
        self._check(admin)
        return len(known.partitions)

    def _create(self, admin: AdminClient, shards: int) -> None:
        config = {_APPEND_TIME: "LogAppendTime", "max.message.bytes": str(LARGEST)}
        topic = NewTopic(self.topic, num_partitions=shards, replication_factor=-1, config=config)
        future = admin.create_topics([topic], request_timeout=self._timeout_s)[self.topic]
        try:
            self._translated(future.result)
        except StoreError as error:
            if _code(error.__cause__) != ck.KafkaError.TOPIC_ALREADY_EXISTS:
                raise

    def _partitions(self, admin: AdminClient) -> Any:
        """What is known of a topic that was just made; it takes a moment until the broker says so."""
        until = monotonic() + self._timeout_s
        while monotonic() < until:
            known = self._translated(admin.list_topics, self.topic, timeout=self._timeout_s).topics.get(self.topic)
            if known is not None and known.error is None and known.partitions:
                return known
            sleep(_SHORT_S)
        raise StoreError(f"stream {self._name}: the topic was made, but the broker does not show it; try again")

    def _check(self, admin: AdminClient) -> None:
        resource = ConfigResource(ConfigResource.Type.TOPIC, self.topic)
        future = admin.describe_configs([resource], request_timeout=self._timeout_s)[resource]
        found = self._translated(future.result)[_APPEND_TIME].value
        if found != "LogAppendTime":
            raise StoreError(
                f"stream {self._name} has {_APPEND_TIME}={found}, and verdicts need the broker's own time; run: "
                f"kafka-configs.sh --bootstrap-server {self._options['bootstrap.servers']} --alter "
                f"--entity-type topics --entity-name {self.topic} --add-config {_APPEND_TIME}=LogAppendTime"
            )

    def _translated(self, call: Any, *arguments: Any, **named: Any) -> Any:
        """What a call gives; it is repeated for a while where a topic or a broker is so young that it is not known."""
        until = monotonic() + self._timeout_s
        while True:
            try:
                return call(*arguments, **named)
            except ck.KafkaException as error:
                if _code(error) in _SOON_RIGHT and monotonic() < until:
                    sleep(_SHORT_S)
                    continue
                told = error.args[0].str() if isinstance(error.args[0], ck.KafkaError) else str(error)
                raise StoreError(f"stream {self._name}: {told}; is the broker up, and may it be used?") from error


def _code(error: BaseException | None) -> int | None:
    found = error.args[0] if isinstance(error, ck.KafkaException) else None
    return found.code() if isinstance(found, ck.KafkaError) else None


class _Delivery:
    """What the broker said of the entries of one append."""

    def __init__(self, count: int):
        self._is_taken = [False] * count
        self.answered = 0
        self.error = ""
        self.is_too_large = False  # the first of them

    def report(self, index: int) -> Any:
        def told(error: ck.KafkaError | None, message: ck.Message) -> None:
            self.answered += 1
            self._is_taken[index] = error is None
            if error is not None:
                self.refuse(index, error)

        return told

    def refuse(self, index: int, error: ck.KafkaError) -> None:
        self.error = self.error or error.str()
        self.is_too_large |= index == 0 and error.code() == ck.KafkaError.MSG_SIZE_TOO_LARGE

    @property
    def taken(self) -> int:
        """How many, from the first."""
        return self._is_taken.index(False) if False in self._is_taken else len(self._is_taken)


class _Reader:
    """Reads one partition; it fetches ahead as long as it is read in order."""

    def __init__(self, options: Mapping[str, Any], topic: str, shard: int):
        self._consumer = ck.Consumer({**options, **_READER})
        self._at = ck.TopicPartition(topic, shard)
        self._next = -1

    def read(self, first: int, last: int, timeout_s: float) -> list[Message]:
        """The messages from `first` up to, but not with, `last`, which are known to be there but for gaps."""
        if first != self._next:
            self._consumer.assign([ck.TopicPartition(self._at.topic, self._at.partition, first)])
            self._next = first
        found: list[Message] = []
        until = monotonic() + timeout_s
        while self._next < last and monotonic() < until:
            for message in self._consumer.consume(last - self._next, _POLL_S):
                error = message.error()
                if error is None:
                    found.append(_message(message))
                    self._next = message.offset() + 1
                elif error.code() == ck.KafkaError._PARTITION_EOF:
                    if message.offset() >= last:  # the rest were gaps
                        self._next = last
                else:
                    self._next = -1
                    if not found:
                        raise ck.KafkaException(error)
                    return found
        if not found and self._next < last:
            self._next = -1
            raise ck.KafkaException(ck.KafkaError(ck.KafkaError._TIMED_OUT, f"no message within {timeout_s:g} s"))
        return found

    def close(self) -> None:
        self._consumer.close()


def _message(message: ck.Message) -> Message:
    kind, time_ms = message.timestamp()
    if kind != ck.TIMESTAMP_LOG_APPEND_TIME:
        raise StoreError(
            f"message {message.offset()} of {message.topic()} carries no append time: it was written before "
            f"{_APPEND_TIME} became LogAppendTime; start behind it, or use a new topic"
        )
    key = message.key()
    return Message(
        message.partition(), message.offset(), time_ms // 1000, key.decode(errors="replace") if key else "",
        message.value() or b"",
    )  # fmt: skip


def _topic(brokers: str, name: str) -> str:
    topic = name.strip("/").replace("/", ".")
    if "?" in name or "@" in brokers:
        raise StoreError("a kafka:// URL holds brokers and topic only; give options in LEEWAY_KAFKA_OPTIONS")
    if not brokers or not re.fullmatch(r"[a-zA-Z0-9._-]{1,249}", topic):
        raise StoreError(
            f"kafka://{brokers}/{name} is no stream; use kafka://host:9092/topic (a-z, 0-9, '.', '_', '-')"
        )
    return topic
