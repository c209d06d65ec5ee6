"""Servers, a stream and workers in one process; what clients were promised; the rules that must hold at the end."""

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from leeway import outbox_layout as layout
from leeway.clock import ManualClock
from leeway.errors import StoreError
from leeway.forwarder import outboxes
from leeway.record import FEEDBACK, INFER, OUTBOX_END, Origin, Record, Request, Response, encode
from leeway.settings import Settings
from monitoring.decode import decode
from tests.faults.curses import comparable, cursed_from, is_poisoned
from tests.faults.faults import Crash, Faults
from tests.faults.outcome import outcome, undisturbed
from tests.faults.processes import Server, Worker, messages, token_of

FEATURES = ["price", "demand", "region"]
ROUNDS = 60


@dataclass(frozen=True)
class Kept:
    """A record that a client was told is kept: its outbox, and where it ends there."""

    outbox: str
    end: int


class World:
    """One home. `random` decides what a real machine leaves to chance."""

    def __init__(self, home: Path, seed: int, profile: bytes, sync: bool):
        self.home, self.clock, self.random = home, ManualClock(), random.Random(seed)
        self.settings = Settings(
            home=home, outbox_limit_mb=4, outbox_sync=sync, window_rows=20, detector_arl0=100, warming_rows=50
        )
        self.away: set[str] = set()
        self.servers: list[Server] = []
        self.workers: list[Worker] = []
        self.attempted: dict[str, Record] = {}
        self.kept: dict[str, Kept] = {}
        self.dropped = self.maybe_dropped = 0
        self._untold: list[str] = []
        self._cut_off: set[str] = set()
        endpoints = [f"shop/server/{name}/default/{name}/{arm}" for name in "ab" for arm in ("v1", "v2")]
        self._profiles = {f"profile/{endpoint}": profile for endpoint in endpoints}
        first = Worker(home, self.settings, self.clock, Faults(0, set()))
        first._shared.commit(self._profiles)
        first.bury()

    # Processes.

    def start_server(self, batch: int = 1) -> Server | None:
        server = Server(self.home, self.settings, self.clock, self._faults(), batch)
        return self._start(server, self.servers)

    def start_worker(self, range_rows: int = 5_000) -> Worker | None:
        try:
            worker = Worker(self.home, replace(self.settings, range_rows=range_rows), self.clock, self._faults())
        except (StoreError, OSError):
            return None
        return self._start(worker, self.workers)

    def let(self, process: Any, act: Callable[..., Any], *arguments: Any) -> Any:
        """Let a process act. What a store refuses it survives, a crash ends it."""
        try:
            return act(*arguments)
        except (StoreError, OSError):
            if getattr(process, "is_stopped", False):
                self.kill(process)
        except Crash:
            self.kill(process)
        return None

    def kill(self, process: Any) -> None:
        process.faults.is_dead = True
        process.bury()
        for living in (self.servers, self.workers):
            if process in living:
                living.remove(process)

    def stop_server(self, server: Server) -> None:
        """As at a redeploy: send the rest and the ends, delete the file; what remains is left behind."""
        self.let(server, server.forwarder.begin_closing)
        for _ in range(4):
            if server in self.servers and self.let(server, server.forwarder.work):
                break
        self.kill(server)

    def stop_worker(self, worker: Worker) -> None:
        self.let(worker, worker.close)
        self.kill(worker)

    def power_off(self) -> None:
        """Everything ends. Of what was not synced, the ends of files go, and the heads are those of long ago."""
        for process in [*self.servers, *self.workers]:
            self.kill(process)
        for path in outboxes(self.home / "outbox"):
            self._lose_power(path)

    # What clients do.

    def predict(
        self,
        server: Server,
        deployment: str,
        arm: str,
        id: str,
        rows: list[list[float]],
        answers: list[Any] | None = None,
    ) -> None:
        """Ask; nobody tells the truth of answers that are given."""
        if answers is None:
            self._untold.append(f"{deployment}/{id}")
        answers = answers or [int(row[0] > 0.5) for row in rows]
        self._append(
            server, INFER, deployment, id, endpoint_id=f"shop/server/{deployment}/default/{deployment}/{arm}",
            microsec=self.random.randint(100, 5_000), request=Request(inputs=rows), features=FEATURES,
            resp=Response(id=id, outputs=answers),
        )  # fmt: skip

    def tell(self, server: Server, at: int, truth: int | None = None) -> None:
        """The truth of something that was asked before, once."""
        if self._untold:
            deployment, _, id = self._untold.pop(at % len(self._untold)).partition("/")
            truth = [self.random.randint(0, 1) if truth is None else truth]
            self._append(server, FEEDBACK, deployment, f"f-{id}", request=Request(id=id, truth=truth, rows=[0]))

    # At the end.

    def settle(self) -> None:
        """All faults end, every process is replaced once; then everything must come through in a bounded time."""
        self.away.clear()
        for process in [*self.servers, *self.workers]:
            process.faults.arm(-1, "")
            self.stop_server(process) if process in self.servers else self.stop_worker(process)
        server = self.start_server()
        assert server is not None
        for _ in range(ROUNDS):
            self.let(server, server.forwarder.work)
            self.clock.advance(31)
            if len(outboxes(self.home / "outbox")) == 1:
                break
        self.stop_server(server)
        assert outboxes(self.home / "outbox") == [], "an outbox stays for ever"
        worker = self.start_worker()
        assert worker is not None
        worker.deliver(1 << 40)
        worker.close()
        self.kill(worker)

    def check(self, empty: Path) -> None:
        """Nothing kept is lost, nothing is doubled, every count adds up, and the verdicts are those of a calm day."""
        stream = messages(self.home, self.clock)
        records = [record for message in stream for record in decode(message.value)]
        sent = {token_of(record) for record in records} - {""}
        missing = {token for token in self.kept if token not in sent} - self._cut_off
        assert not missing, f"kept and lost: {sorted(missing)[:5]}"
        assert sent <= self.attempted.keys()
        found = outcome(self.settings)
        tables = found["tables"]
        archived = [row["trace"] for kind in ("prediction", "feedback") for row in tables[kind] if row["row"] == 0]
        poisoned = {token_of(record) for record in records if is_poisoned(record)}
        assert sorted(archived) == sorted(sent - poisoned), "archived is not what was sent"
        assert len(found["dead letters"]) == found["counts"]["dead_lettered"] == len(poisoned)
        self._check_counts(found["counts"], tables, records)
        cursed = cursed_from(stream)
        calm = comparable(undisturbed(replace(self.settings, home=empty), self._profiles, stream), cursed)
        found = comparable(found, cursed)
        for what in calm:
            assert found[what] == calm[what], f"{what} differ from those of an undisturbed run"

    def _check_counts(self, counts: dict[str, Any], tables: dict[str, list], records: list[Record]) -> None:
        predictions, feedback = counts["predictions"], counts["feedback"]
        heads = [row for row in tables["prediction"] if row["row"] == 0]
        assert sum(predictions[name] for name in ("counted", "duplicate_id", "test")) == len(heads)
        known = {f"{row['deployment']}/{row['id']}" for row in heads}
        told = {f"{row['deployment']}/{row['request_id']}" for row in tables["feedback"]}
        assert feedback["joined"] == len(known & told)
        assert feedback["pending"] == len(told - known)
        assert counts["lost"] == _gaps(records)
        total = sum(counts["dropped"].values())
        assert self.dropped <= total <= self.dropped + self.maybe_dropped

    def _start(self, process: Any, living: list) -> Any:
        living.append(process)
        try:
            process.start()
        except (StoreError, OSError, Crash):
            self.kill(process)
            return None
        return process

    def _faults(self) -> Faults:
        return Faults(self.random.randrange(1 << 30), self.away)

    def _append(self, server: Server, op: str, deployment: str, id: str, **fields: Any) -> None:
        token = f"t{len(self.attempted)}"
        record = Record(
            schema=1, op=op, id=id, when="2026-11-24T12:00:00.000000Z", project="shop", function_uri="shop/server",
            deployment=deployment, origin=Origin("", 0), trace=token, **fields,
        )  # fmt: skip
        self.attempted[token] = record
        outbox = server.outbox
        self.maybe_dropped += 1
        kept = self.let(server, outbox.append, record.stream_key, lambda origin: encode(_with_origin(record, origin)))
        if kept is None:
            return  # it died amid it, and the client got no answer
        self.maybe_dropped -= 1
        if kept:
            self.kept[token] = Kept(outbox.id, outbox.file.end)
        elif record.stream_key in {slot.key for slot in outbox.file.slots}:
            self.dropped += 1
        else:  # the disk refused the key's place in the file, so that the count goes with the process
            self.maybe_dropped += 1

    def _lose_power(self, path: Path) -> None:
        size = path.stat().st_size
        with path.open("r+b") as file:
            head = layout.unpack_head(file.read(layout.DATA))
            if not self.settings.outbox_sync and size > layout.DATA:
                size = self.random.randint(layout.DATA, size)
                file.truncate(size)
            if self.random.random() < 0.5:
                file.seek(layout.PLACE)
                file.write(layout.pack_place(head.base, head.base))
                for slot in range(layout.SLOTS):
                    file.seek(layout.slot_offset(slot))
                    file.write(layout.pack_number(0))
        end = head.base + size - layout.DATA
        self._cut_off |= {token for token, kept in self.kept.items() if kept.outbox == head.id.hex() and kept.end > end}


def _with_origin(record: Record, origin: Origin) -> Record:
    return Record(**{name: getattr(record, name) for name in Record.__struct_fields__} | {"origin": origin})


def _gaps(records: list[Record]) -> int:
    """How many numbers of ended outboxes never came."""
    seen, last = defaultdict(set), {}
    for record in records:
        key = (record.origin.outbox, record.deployment)
        if record.op == OUTBOX_END:
            last[key] = max(last.get(key, 0), record.origin.seq)
        else:
            seen[key].add(record.origin.seq)
    return sum(max(end, *seen[key], 0) - len(seen[key]) for key, end in last.items())
