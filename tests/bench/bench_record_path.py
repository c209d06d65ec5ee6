"""How many rows a second the record path takes on one core: from encoded records to committed series and Parquet.

One row a record, 10 features, embedded stores; CPU time of this process, best of five, beside a fixed calibration
loop that says how fast the machine was meanwhile. Run: python tests/bench/bench_record_path.py
"""

import gc
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

from leeway.backends import connect
from leeway.clock import SystemClock
from leeway.interfaces import Message
from leeway.record import FEEDBACK, INFER, Origin, Record, Request, Response
from leeway.record_writer import RecordWriter, said_of
from leeway.settings import Settings
from monitoring.consumer import Consumer
from monitoring.reference import profile_of

ROWS, LATER, RUNS = 50_000, 100, 5
FEATURES = [f"feature_{i}" for i in range(10)]
ENDPOINT = "bench/model-server/elec/default/elec/3f2a9c04d1e7"
TARGETS = {"unlabelled": 60_000, "labelled": 25_000}


def predict(frame: pd.DataFrame) -> np.ndarray:
    return (np.asarray(frame)[:, 0] > 0.5).astype(int)


def profile() -> bytes:
    """Of rows that are drawn as the stream's are, one answer of ten wrong."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.random((8_000, len(FEATURES))), columns=FEATURES)
    frame["y"] = predict(frame) ^ (rng.random(len(frame)) < 0.1)
    return profile_of(frame, features=FEATURES, label="y", predict=predict, held_out=slice(5_000, None)).to_bytes()


def messages(labelled: bool) -> list[Message]:
    """A record per row, written as a worker does, and where it is wanted the truth of each, a hundred rows later."""
    draw = random.Random(2)
    rows = [[draw.random() for _ in FEATURES] for _ in range(ROWS)]
    records: list[Record] = []
    for i, row in enumerate(rows):
        records.append(_prediction(i, row, len(records) + 1, draw))
        if labelled and i >= LATER:
            truth = int(rows[i - LATER][0] > 0.5) ^ (draw.random() < 0.1)
            records.append(_feedback(i - LATER, truth, len(records) + 1))
    writers = {record.op: RecordWriter(record) for record in reversed(records[: 2 * LATER])}
    written = (writers[record.op].write(said_of(record)) for record in records)
    return [Message(0, i, 1_700_000_000 + i // 20_000, "", data) for i, data in enumerate(written)]


def _prediction(i: int, row: list[float], seq: int, draw: random.Random) -> Record:
    return _record(
        INFER, _id(i), seq, endpoint_id=ENDPOINT, model="elec", version="3f2a9c04d1e7", class_="ScikitLearn",
        microsec=draw.randint(200, 900), request=Request(inputs=[row]), features=FEATURES,
        resp=Response(id=_id(i), model_name="elec", outputs=[int(row[0] > 0.5)], probabilities=[[0.25, 0.75]]),
    )  # fmt: skip


def _feedback(i: int, truth: int, seq: int) -> Record:
    return _record(FEEDBACK, f"feedback-{i}", seq, request=Request(id=_id(i), truth=[truth]))


def _record(op: str, id: str, seq: int, **fields) -> Record:
    return Record(
        schema=1, id=id, op=op, when=f"2026-11-24T12:00:00.{seq % 1_000_000:06d}Z", project="bench", deployment="elec",
        function_uri="bench/model-server", origin=Origin("0192d0a4-7c3e-7000-8000-0000000000aa", seq), host="host-1",
        worker="0", **fields,
    )  # fmt: skip


def _id(i: int) -> str:
    return f"0192d0a4-7c3e-7000-8000-{i:012d}"


def run(stream: list[Message], known: bytes) -> float:
    """CPU seconds to consume it, into a fresh home."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        state, shared, series = (
            connect.state(settings, "bench"),
            connect.state(settings, "shared"),
            connect.series(settings),
        )
        shared.commit({f"profile/{ENDPOINT}": known})
        consumer = Consumer(
            "bench", 0, settings, state, shared, series, connect.archive(settings), SystemClock(), lambda incident: None
        )
        consumer.consume(stream[:1])  # sets the thresholds, which is a matter of the start and not of rows
        seconds = cpu_seconds(lambda: consumer.consume(stream[1:]))
        for store in (state, shared, series):
            store.close()
    return seconds


def calibrate() -> float:
    """CPU seconds of a fixed loop."""
    return cpu_seconds(lambda: sum(i * i % 7 for i in range(1_000_000)))


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> int:
    """Print the figures; 1 where one misses its target."""
    print(f"{platform.platform()}, Python {platform.python_version()}", end="")
    print(*(f", {name} {version(name)}" for name in ("numpy", "pyarrow", "msgspec")), sep="")
    known, missed = profile(), False
    for kind, target in TARGETS.items():
        stream = messages(labelled=kind == "labelled")
        gc.collect()
        gc.freeze()  # the stream itself is no part of what is measured
        pairs = [(run(stream, known), calibrate()) for _ in range(RUNS)]
        rate, loop_ms = ROWS / min(seconds for seconds, _ in pairs), min(loop for _, loop in pairs) * 1e3
        print(f"{kind:>12}: {rate:8,.0f} rows/s (target {target:,}); calibration loop {loop_ms:.0f} ms")
        missed |= rate < target
        gc.unfreeze()
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
