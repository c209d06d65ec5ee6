"""The stream on V3IO, by its SDK. Never run on a real Iguazio: written against the SDK and a double of its API."""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any
from zlib import crc32

from v3io.dataplane import Client
from v3io.dataplane.transport import RaiseForStatus
from v3io.dataplane.transport.httpclient import Transport
from v3io.logger import Logger

from leeway.errors import StoreError, TooLarge
from leeway.interfaces import Message, Stream

from .v3io_place import v3io_place

_AT_ONCE, _BYTES_AT_ONCE, _LARGEST = 1_000, 4 << 20, 2_000_000
_RETENTION_H = 24 * 7
_QUIET = Logger("CRITICAL")
_NEVER = {"raise_for_status": RaiseForStatus.never}


class V3ioStream(Stream):
    """Offsets are sequence numbers less one, so they begin at 0. A key's shard is crc32(key) modulo the shard count.
    A message holds at most 2 MB.

    Delivery: at least once; the SDK repeats a request whose answer it did not get, which may double its records.
    What a group committed lies where Nuclio keeps it: an attribute of the shard's item. Where it stands after all
    records of a shard have aged out is not known, and counts as 0.
    """

    def __init__(self, api: str, access_key: str, path: str, shards: int, timeout_s: float):
        needed = {"V3IO_API": api, "V3IO_ACCESS_KEY": access_key}
        self._name, self._container, self._path = v3io_place("stream", path, needed)
        Transport.set_connection_timeout(timeout_s)
        self._api, self._access_key = api, access_key
        self._lock = threading.RLock()
        self._client: Client | None = None
        self._locations: dict[int, tuple[int, str]] = {}
        self.shards = self._opened(shards)

    def append(self, entries: Sequence[tuple[str, bytes]]) -> int:
        taken = 0
        with self._lock:
            while taken < len(entries):
                chunk = _chunk(entries, taken)
                try:
                    count = self._put(chunk)
                except StoreError:
                    if taken:
                        break
                    raise
                taken += count
                if count < len(chunk):
                    break
        return taken

    def read(self, shard: int, offset: int, limit: int) -> list[Message]:
        with self._lock:
            oldest, end = self.bounds(shard)
            first, found = max(offset, oldest), []
            while first < end and len(found) < limit:
                messages = self._get(shard, first, min(limit - len(found), _AT_ONCE))
                if not messages:
                    break
                found += messages
                first = messages[-1].offset + 1
            return found

    def bounds(self, shard: int) -> tuple[int, int]:
        self._refuse_unknown(shard)
        with self._lock:
            answer = self._records(shard, self._seek(shard, "EARLIEST"), 1)
            if not answer.records:
                return 0, 0
            oldest = answer.records[0].sequence_number - 1
            return oldest, oldest + 1 + answer.records_behind_latest

    def commit(self, group: str, shard: int, offset: int) -> None:
        with self._lock:
            if offset > self.committed(group, shard):
                attributes = {_attribute(group): offset - 1}
                self._ask(
                    lambda client: client.kv.update(
                        self._container, self._path, str(shard), attributes=attributes, **_NEVER
                    )
                )

    def committed(self, group: str, shard: int) -> int:
        with self._lock:
            name = _attribute(group)
            answer = self._ask(
                lambda client: client.kv.get(self._container, self._path, str(shard), attribute_names=[name], **_NEVER),
                (404,),
            )
        item = answer.output.item if answer.status_code != 404 else {}
        return int(item[name]) + 1 if name in item else 0

    def close(self) -> None:
        with self._lock:
            client, self._client = self._client, None
            self._locations = {}
            if client is not None:
                client.close()

    def _put(self, entries: Sequence[tuple[str, bytes]]) -> int:
        """How many were taken, from the first; none, and why: StoreError."""
        records = [
            {"data": value, "partition_key": key, "shard_id": crc32(key.encode()) % self.shards}
            for key, value in entries
        ]
        if len(records[0]["data"]) > _LARGEST:
            size = len(records[0]["data"])
            raise TooLarge(f"stream {self._name}: a message of {size:,} bytes is larger than {_LARGEST:,}")
        answer = self._ask(lambda client: client.stream.put_records(self._container, self._path, records, **_NEVER))
        results = answer.output.records
        failed = [i for i, each in enumerate(results) if each.error_code]
        if failed and failed[0] == 0:
            why = f"{results[0].error_message} ({results[0].error_code})"
            raise StoreError(f"stream {self._name} takes nothing: {why}")
        return failed[0] if failed else len(results)

    def _get(self, shard: int, offset: int, limit: int) -> list[Message]:
        known, location = self._locations.pop(shard, (-1, ""))
        if known != offset:
            location = self._seek(shard, "SEQUENCE", starting_sequence_number=offset + 1)
        answer = self._records(shard, location, limit)
        found = [
            Message(shard, each.sequence_number - 1, each.arrival_time_sec, each.partition_key or "", each.data)
            for each in answer.records
        ]
        if found:
            self._locations[shard] = (found[-1].offset + 1, answer.next_location)
        return found

    def _seek(self, shard: int, kind: str, **where: int) -> str:
        answer = self._ask(
            lambda client: client.stream.seek(self._container, self._path, shard, kind, **_NEVER, **where)
        )
        return answer.output.location

    def _records(self, shard: int, location: str, limit: int) -> Any:
        return self._ask(
            lambda client: client.stream.get_records(
                self._container, self._path, shard, location, limit=limit, **_NEVER
            )
        ).output

    def _opened(self, shards: int) -> int:
        self._ask(
            lambda client: client.stream.create(
                self._container, self._path, shards, retention_period_hours=_RETENTION_H, **_NEVER
            ),
            (400, 409),  # it is there
        )
        return self._ask(
            lambda client: client.stream.describe(self._container, self._path, **_NEVER)
        ).output.shard_count

    def _refuse_unknown(self, shard: int) -> None:
        if not 0 <= shard < self.shards:
            raise StoreError(f"stream {self._name} has shards 0 to {self.shards - 1}, not {shard}")

    def _ask(self, call: Callable[[Client], Any], expected: tuple[int, ...] = ()) -> Any:
        """The answer; a status from 400 on that is not expected, or none at all: StoreError."""
        try:
            if self._client is None:
                self._client = Client(logger=_QUIET, endpoint=self._api, access_key=self._access_key, max_connections=2)
            answer = call(self._client)
            status = answer.status_code
        except Exception as error:  # the SDK passes on whatever its transport meets
            with suppress(Exception):
                self.close()
            told = str(error) or type(error).__name__
            raise StoreError(f"stream {self._name}: {told.replace(self._access_key, '***')}; is V3IO up?") from error
        if status >= 400 and status not in expected:
            raise StoreError(f"stream {self._name}: V3IO answered {status}: {bytes(answer.body or b'')[:200]!r}")
        return answer


def _chunk(entries: Sequence[tuple[str, bytes]], start: int) -> list[tuple[str, bytes]]:
    """What goes into one request: the first, and what else fits."""
    chunk, size = [entries[start]], len(entries[start][1])
    for entry in entries[start + 1 : start + _AT_ONCE]:
        size += len(entry[1])
        if size > _BYTES_AT_ONCE or len(entry[1]) > _LARGEST:
            break
        chunk.append(entry)
    return chunk


def _attribute(group: str) -> str:
    return f"__{group}_committed_sequence_number"
