"""Everything that can happen, in any order."""

import shutil
import tempfile
from pathlib import Path
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.faults.curses import CURSED, POISON, curses
from tests.faults.faults import KINDS
from tests.faults.world import World

WHICH = st.integers(0, 3)
STORES = st.sampled_from(["outbox", "stream", "state", "shared", "series", "archive"])
MOST_SERVERS, MOST_WORKERS = 3, 2


class Machine(RuleBasedStateMachine):
    """`profile` is that of the models; `folder` is where homes are made."""

    profile: bytes
    folder: Path

    def __init__(self):
        super().__init__()
        self.home = Path(tempfile.mkdtemp(dir=self.folder))
        self.small = patch("leeway.outbox._MIB", 4_096)
        self.small.start()
        self.curses = curses()

    @initialize(seed=st.integers(0, 1 << 30), sync=st.sampled_from([False, False, False, True]))
    def begin(self, seed, sync):
        self.world = World(self.home / "home", seed, self.profile, sync)
        self.number = 0
        self.world.start_server()
        self.world.start_worker()

    @rule(batch=st.sampled_from([1, 1, 4]))
    def start_server(self, batch):
        if len(self.world.servers) < MOST_SERVERS:
            self.world.start_server(batch)

    @rule(range_rows=st.sampled_from([1, 3, 7, 500]))
    def start_worker(self, range_rows):
        if len(self.world.workers) < MOST_WORKERS:
            self.world.start_worker(range_rows)

    @rule(which=WHICH, deployment=st.sampled_from("aab"), arm=st.sampled_from(["v1", "v1", "v2"]),
          count=st.integers(1, 12), moved=st.booleans())  # fmt: skip
    def predict(self, which, deployment, arm, count, moved):
        for _ in range(count):
            if not (server := self.server(which)):
                return
            self.number += 1
            draw = self.world.random.random
            rows = [[draw(), draw() + 5 * moved, draw()]] * (1 + (self.number % 5 == 0))
            self.world.predict(server, deployment, arm, f"r{self.number}", rows)

    @rule(which=WHICH, count=st.integers(1, 8))
    def tell(self, which, count):
        for _ in range(count):
            if server := self.server(which):
                self.world.tell(server, self.world.random.randrange(1 << 20))

    @rule(which=WHICH, deployment=st.sampled_from("ab"), kind=st.sampled_from(["row", "truth", "answer"]))
    def curse(self, which, deployment, kind):
        """Something that a detector, or the archive, cannot take."""
        if not (server := self.server(which)):
            return
        self.number += 1
        id, row = f"r{self.number}", [CURSED if kind == "row" else 0.5, 0.5, 0.5]
        self.world.predict(server, deployment, "v2", id, [row], [POISON] if kind == "answer" else None)
        if kind == "truth" and (server := self.server(which)):
            self.world.tell(server, -1, CURSED)

    @rule(which=WHICH, some=st.sampled_from([False, True]))
    def forward(self, which, some):
        if server := self.server(which):
            server.faults.takes_some = some
            self.world.let(server, server.forwarder.work)

    @rule(seconds=st.sampled_from([0, 1, 2]))
    def all_is_well_for_a_while(self, seconds):
        self.world.clock.advance(seconds)
        for server in list(self.world.servers):
            self.world.let(server, server.forwarder.work)
        for worker in list(self.world.workers):
            self.world.let(worker, worker.deliver, 100)

    @rule(which=WHICH, count=st.integers(1, 40))
    def deliver(self, which, count):
        if worker := self.worker(which):
            self.world.let(worker, worker.deliver, count)

    @rule(which=WHICH, back=st.integers(1, 10))
    def deliver_again(self, which, back):
        if worker := self.worker(which):
            worker.next = max(0, worker.next - back)

    @rule(which=WHICH, seconds=st.sampled_from([0, 1, 2, 40]))
    def tick(self, which, seconds):
        self.world.clock.advance(seconds)
        if worker := self.worker(which):
            self.world.let(worker, worker.tick)

    @rule(which=WHICH)
    def stop_server(self, which):
        if server := self.server(which):
            self.world.stop_server(server)

    @rule(which=WHICH)
    def kill_server(self, which):
        if server := self.server(which):
            self.world.kill(server)

    @rule(which=WHICH)
    def stop_worker(self, which):
        if worker := self.worker(which):
            self.world.stop_worker(worker)

    @rule(which=WHICH)
    def kill_worker(self, which):
        if worker := self.worker(which):
            self.world.kill(worker)

    @rule()
    def power_off(self):
        self.world.power_off()

    @rule(which=WHICH, points=st.integers(0, 12), kind=st.sampled_from(KINDS))
    def fault_in_server(self, which, points, kind):
        if server := self.server(which):
            server.faults.arm(points, kind)

    @rule(which=WHICH, points=st.integers(0, 12), kind=st.sampled_from(KINDS))
    def fault_in_worker(self, which, points, kind):
        if worker := self.worker(which):
            worker.faults.arm(points, kind)

    @rule(which=WHICH, points=st.integers(0, 6), kind=st.sampled_from(KINDS), power=st.booleans())
    def fault_while_sending(self, which, points, kind, power):
        if server := self.server(which):
            server.faults.arm(points, kind)
            self.world.let(server, server.forwarder.work)
            if power:
                self.world.power_off()

    @rule(which=WHICH, points=st.integers(0, 12), kind=st.sampled_from(KINDS))
    def fault_while_consuming(self, which, points, kind):
        if worker := self.worker(which):
            worker.faults.arm(points, kind)
            self.world.let(worker, worker.deliver, 100)
            self.world.stop_worker(worker)

    @rule(which=WHICH)
    def power_fails_after_the_ends(self, which):
        if server := self.server(which):
            server.files.may_unlink = False
            self.world.stop_server(server)
            self.world.power_off()

    @rule(store=STORES)
    def goes_away(self, store):
        self.world.away.add(store)

    @rule()
    def comes_back(self):
        self.world.away.clear()

    def server(self, which):
        """One that lives; where none does, a new one, if it can start."""
        living = self.world.servers or [self.world.start_server()]
        return living[which % len(living)]

    def worker(self, which):
        living = self.world.workers or [self.world.start_worker()]
        return living[which % len(living)]

    def teardown(self):
        try:
            if hasattr(self, "world"):
                self.world.settle()
                self.world.check(self.home / "calm")
        finally:
            for process in [*self.world.servers, *self.world.workers] if hasattr(self, "world") else []:
                self.world.kill(process)
            self.small.stop()
            self.curses.close()
            shutil.rmtree(self.home)
