"""What millions of predictions that wait for their truth cost, and what a day of traffic leaves on the disk.

Memory is the peak of the whole process, libraries included. A day is 8,640,000 records (100 a second, 10 features of
random floats, UUIDs as ids), scaled up from a shorter run with a range a second and a compaction a minute, as at the
defaults. The rate of the record path is that of bench_record_path.py, with so much waiting. Ten million take some
minutes; figures for fewer say nothing of the targets. Run: python tests/bench/bench_pending_labels.py [PENDING]
[RECORDS]
"""

import platform
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from uuid import UUID

from bench_record_path import cpu_seconds, messages

from leeway.backends import connect
from leeway.clock import SystemClock
from leeway.interfaces import Message
from leeway.record import INFER, Origin, Record, Request, Response, encode
from leeway.settings import Settings
from monitoring.compaction import compact
from monitoring.consumer import Consumer
from monitoring.label_values import LIVE, Place, Who
from monitoring.labels import Labels

PENDING, RECORDS = 10_000_000, 120_000
RATE, DAY_S = 100, 86_400
MOST_MB, MOST_DISK_MB = 300, 2_300
KEY = "bench/model-server/elec"
FEATURES = [f"feature_{i}" for i in range(10)]
BEGIN = 1_700_006_400  # midnight


def uuid7(draw: random.Random, i: int) -> str:
    return str(UUID(int=(BEGIN * 1000 + i * 10) << 80 | 7 << 76 | 2 << 62 | draw.getrandbits(62) | i % 4096 << 64))


def pending(count: int, folder: Path) -> tuple[dict[str, float], list[str]]:
    """Let so many predictions wait; the ids of some of them too."""
    state, draw = connect.state(Settings(home=folder), "pending"), random.Random(1)
    labels = Labels(10**9, count, state)
    who = labels.who(Who(KEY, "e", LIVE))
    start, sample = time.process_time(), []
    for i in range(count):
        id = uuid7(draw, i)
        labels.predict(who, id, [i % 2], Place(i, 0, BEGIN + i // RATE, BEGIN + i // RATE))
        if i % max(count // 5_000, 200) == 0:
            sample.append(id)
        if i % 5_000 == 4_999:
            state.commit(*labels.changes())
        if i % 1_000_000 == 999_999:
            print(f"  {i + 1:,} wait, {peak_mb():.0f} MB", file=sys.stderr, flush=True)
    state.commit(*labels.changes())
    waiting_us, running_mb = (time.process_time() - start) / count * 1e6, peak_mb()
    state.close()
    draw.shuffle(sample)
    return {"memory MB": running_mb, "us a prediction": waiting_us, "disk MB": size_mb(folder)}, sample


def restarted(count: int, folder: Path, sample: list[str]) -> dict[str, float]:
    """In a process of its own: take up what waits, and let truth come for some of it in any order."""
    state = connect.state(Settings(home=folder), "pending")
    start = time.process_time()
    labels = Labels(10**9, count, state)
    labels.restore(state.scan("labels/"))
    restart_s = time.process_time() - start
    start = time.process_time()
    outcomes = [labels.truth(KEY, id, [(0, 1)], Place(count, 0, BEGIN, BEGIN))[0] for id in sample]
    truth_us = (time.process_time() - start) / len(sample) * 1e6
    state.close()
    # The oldest make room for the truth itself.
    assert outcomes.count("joined") > 0.99 * len(outcomes), "truth did not find its predictions"
    return {
        "memory MB, restarted": peak_mb(), "s to restart": restart_s, "us a truth in any order": truth_us,
    }  # fmt: skip


def beside(count: int, folder: Path, kind: str) -> float:
    """In a process of its own: rows a second of the record path, CPU time, with what waits in the consumer's state."""
    settings = Settings(home=folder, labels_count=count + 200_000)
    state, shared, series = (
        connect.state(settings, "pending"),
        connect.state(settings, "shared"),
        connect.series(settings),
    )
    consumer = Consumer(
        "bench", 0, settings, state, shared, series, connect.archive(settings), SystemClock(), lambda incident: None
    )
    stream = messages(labelled=kind == "labelled")
    consumer.consume(stream[:1])
    rows = sum(b'"op":"infer"' in message.value for message in stream)
    rate = rows / cpu_seconds(lambda: consumer.consume(stream[1:]))
    for store in (state, shared, series):
        store.close()
    return rate


def traffic(count: int) -> Iterator[Message]:
    draw = random.Random(2)
    for i in range(count):
        id = uuid7(draw, i)
        row = [draw.random() for _ in FEATURES]
        record = Record(
            schema=1, id=id, op=INFER, when=f"2026-11-24T12:00:{i // RATE % 60:02d}.{draw.randrange(10**6):06d}Z",
            project="bench", function_uri="bench/model-server", deployment="elec", version="3f2a9c04d1e7",
            origin=Origin("0192d0a47c3e7000800000000000000a", i + 1), microsec=draw.randint(200, 900),
            endpoint_id="bench/model-server/elec/default/elec/3f2a9c04d1e7", model="elec", class_="ScikitLearn",
            request=Request(id, [row]), features=FEATURES, host="host-1", worker="0",
            resp=Response(id, "elec", [int(row[0] > 0.5)], [[row[0], 1 - row[0]]]),
        )  # fmt: skip
        yield Message(0, i, BEGIN + i // RATE, KEY, encode(record))


def disk(count: int, folder: Path) -> dict[str, float]:
    """MB a day of each store, and of the stream what it keeps."""
    settings = Settings(home=folder)
    state, shared, series = (
        connect.state(settings, "bench"),
        connect.state(settings, "shared"),
        connect.series(settings),
    )
    archive = connect.archive(settings)
    consumer = Consumer(
        "bench", 0, settings, state, shared, series, archive, SystemClock(), lambda incident: None, "bench"
    )
    batch: list[Message] = []
    for message in traffic(count):
        batch.append(message)
        if len(batch) == RATE:
            consumer.consume(batch)
            batch.clear()
            if (message.offset + 1) % (60 * RATE) == 0:
                compact(archive, [consumer.prefix])
    for store in (state, shared, series):
        store.close()
    day = RATE * DAY_S / count
    sizes = {name: size_mb(folder / name) * day for name in ("archive", "state", "series.db")}
    return {**sizes, "stream": settings.stream_kept_mb, "all": sum(sizes.values()) + settings.stream_kept_mb}


def in_a_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a function in a process of its own, whose memory is its own too."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def size_mb(path: Path) -> float:
    return sum(file.stat().st_size for file in (path, *path.rglob("*")) if file.is_file()) / 1e6


def main() -> int:
    """Print the figures; 1 where one misses its target."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else PENDING
    records = int(sys.argv[2]) if len(sys.argv) > 2 else RECORDS
    print(f"{platform.platform()}, Python {platform.python_version()}; before: {peak_mb():.0f} MB")
    with tempfile.TemporaryDirectory() as folder:
        waiting, sample = in_a_process(pending, count, Path(folder))
        waiting |= in_a_process(restarted, count, Path(folder), sample)
        waiting["labelled rows/s beside it"] = in_a_process(beside, count, Path(folder), "labelled")
    print(f"{count:,} waiting (target {MOST_MB} MB): " + ", ".join(f"{k} {v:,.1f}" for k, v in waiting.items()))
    with tempfile.TemporaryDirectory() as folder:
        day = disk(records, Path(folder))
    print(f"MB a day at {RATE}/s (target {MOST_DISK_MB:,}): " + ", ".join(f"{k} {v:,.0f}" for k, v in day.items()))
    most = max(waiting["memory MB"], waiting["memory MB, restarted"])
    return int(most > MOST_MB or day["all"] > MOST_DISK_MB)


if __name__ == "__main__":
    sys.exit(main())
