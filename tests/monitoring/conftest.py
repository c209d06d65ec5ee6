"""A seeded stream with everything in it, and consumers over the embedded stores."""

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest

from leeway.backends import connect
from leeway.clock import ManualClock
from leeway.interfaces import Message
from leeway.record import DECISION, FEEDBACK, INFER, OUTBOX_END, Incident, Origin, Record, Request, Response
from leeway.record_writer import RecordWriter, said_of
from leeway.settings import Settings
from monitoring.consumer import Consumer
from monitoring.reference import profile_of

FEATURES = ["price", "demand", "region"]
START = 1_700_000_000


def predict(frame: Any) -> np.ndarray:
    """The model of these tests: up where the price is above one half."""
    return (np.asarray(frame)[:, 0].astype(float) > 0.5).astype(int)


@pytest.fixture(scope="session")
def profile_bytes() -> bytes:
    """The profile of that model: ten percent of its answers are wrong."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({name: rng.random(2_000) for name in FEATURES})
    frame["y"] = predict(frame) ^ (rng.random(2_000) < 0.1)
    profile = profile_of(frame, features=FEATURES, label="y", predict=predict, held_out=slice(1_000, None))
    return profile.to_bytes()


class StreamMaker:
    """Writes records as a model server would: one outbox per deployment, numbered from 1."""

    def __init__(self, seed: int = 0):
        self.random = random.Random(seed)
        self.messages: list[Message] = []
        self.appended = START
        self._seq: dict[str, int] = {}

    def raw(self, value: bytes, key: str = "") -> None:
        """Append any bytes."""
        self.messages.append(Message(0, len(self.messages), self.appended, key, value))

    def record(self, op: str, deployment: str, **fields: Any) -> Record:
        """A record with the next number of its deployment's outbox."""
        self._seq[deployment] = self._seq.get(deployment, 0) + 1
        return Record(
            schema=1,
            op=op,
            id=fields.pop("id", f"r-{deployment}-{self._seq[deployment]}"),
            when="2026-11-24T12:00:00.000000Z",
            project="shop",
            function_uri="shop/server",
            deployment=deployment,
            origin=Origin(f"outbox-{deployment}", self._seq[deployment]),
            **fields,
        )

    def append(self, *records: Record) -> None:
        """Append a record, or several packed into one message, as workers write them."""
        written = [RecordWriter(record).write(said_of(record)) for record in records]
        self.raw(written[0] if len(written) == 1 else b"[" + b",".join(written) + b"]", records[0].stream_key)

    def predict(self, deployment: str, id: str, rows: list[Any] | None = None, **fields: Any) -> None:
        """Append a prediction; the rows are drawn where none are given."""
        self.append(self.prediction(deployment, id, rows, **fields))

    def prediction(self, deployment: str, id: str, rows: list[Any] | None = None, **fields: Any) -> Record:
        rows = [[self.random.random() for _ in FEATURES]] if rows is None else rows
        answers = {
            "endpoint_id": f"shop/server/{deployment}/default/{deployment}/v1",
            "microsec": self.random.randint(100, 5_000),
            "request": Request(inputs=rows),
            "resp": Response(id=id, model_name=deployment, outputs=[int(row[0] > 0.5) for row in rows]),
            "features": FEATURES,
        }
        return self.record(INFER, deployment, id=id, **{**answers, **fields})

    def truth(self, deployment: str, id: str, truth: list[Any], rows: list[int] | None = None, **fields: Any) -> None:
        """Append feedback."""
        self.append(self.record(FEEDBACK, deployment, request=Request(id=id, truth=truth, rows=rows), **fields))

    def end(self, deployment: str, missing: int = 0) -> None:
        """End the outbox of a deployment; `missing` records of it never came."""
        last = self.record(OUTBOX_END, deployment)
        self._seq[deployment] += missing - 1
        self.append(msgspec.structs.replace(last, origin=Origin(last.origin.outbox, self._seq[deployment])))


class Reader:
    """A consumer over the embedded stores of one home, and what they hold afterwards."""

    def __init__(self, home: Path, profile: bytes | None, **settings: Any):
        self.settings = Settings(home=home, **settings)
        self.clock = ManualClock()
        self.events: list[Incident] = []
        self.state = connect.state(self.settings, "consumer/test/s/0")
        self.shared = connect.state(self.settings, "shared")
        self.series = connect.series(self.settings)
        self.archive = connect.archive(self.settings)
        if profile is not None:
            for deployment in ("a", "b"):
                self.shared.commit({f"profile/shop/server/{deployment}/default/{deployment}/v1": profile})

    def consumer(self, **replaced: Any) -> Consumer:
        """A new consumer on the same stores, as after a restart."""
        parts = {"settings": self.settings, "archive": self.archive, "emit_event": self.events.append, **replaced}
        return Consumer(
            stream_name="s",
            shard=0,
            state=self.state,
            shared=self.shared,
            series=self.series,
            clock=self.clock,
            state_name="consumer/test/s/0",
            **parts,
        )

    def table(self, kind: str) -> list[dict[str, Any]]:
        """The archived rows of a kind."""
        return self.archive.read(kind).to_pylist()

    def points(self) -> list[Any]:
        """Every point, merged over ranges."""
        return [(name, self.series.read(name[0], name[1], feature=name[2])) for name in self.series.names()]

    def close(self) -> None:
        for store in (self.state, self.shared, self.series):
            store.close()


@pytest.fixture
def make_reader(tmp_path, profile_bytes):
    """A function that opens a Reader in a home of its own."""
    opened: list[Reader] = []

    def make(profile: bytes | None = profile_bytes, **settings: Any) -> Reader:
        settings = {"window_rows": 50, "detector_arl0": 200, "warming_rows": 50, **settings}
        opened.append(Reader(tmp_path / str(len(opened)), profile, **settings))
        return opened[-1]

    yield make
    for reader in opened:
        reader.close()


@pytest.fixture
def maker() -> StreamMaker:
    return StreamMaker()


@pytest.fixture(scope="session")
def eventful() -> Iterable[Message]:
    """A stream with two deployments, truth early, late, twice, corrected and orphaned, tests, repeated ids, repeated
    records, shadows, failures, packed messages, rows of every type, and something that is no record in the midst."""
    return _eventful(StreamMaker(seed=11))


def _eventful(maker: StreamMaker) -> list[Message]:
    draw = maker.random
    for i in range(200):
        maker.appended += draw.choice([0, 0, 0, 1, 2])
        for deployment in "ab":
            _eventful_request(maker, deployment, i)
        if i == 60:
            maker.raw(b'{"schema": 1, "id": "cut off', "shop/server/a")
            maker.append(maker.record(DECISION, "a", decision={"confirm": "an incident"}))
            maker.append(maker.record(FEEDBACK, "a", request=Request(reward=0.5)))
            maker.truth("a", "a1", [1], labels={"purpose": "test"})
            maker.appended += 1_000
        if i % 50 == 20:
            maker.messages.append(maker.messages[-3]._replace(offset=len(maker.messages)))  # sent twice
    maker.end("a")
    maker.end("b", missing=2)
    return maker.messages


def _eventful_request(maker: StreamMaker, deployment: str, i: int) -> None:
    draw, id = maker.random, f"{deployment}{i}"
    moved = deployment == "a" and i > 120
    row = [
        draw.random(),
        draw.random() + (3 if moved else 0),
        draw.choice([0.1, 0.5, None, "north"] if i > 150 else [0.3]),
    ]
    truth = int(row[0] > 0.5) ^ (draw.random() < (0.6 if moved else 0.1))
    kind = draw.random()
    if kind < 0.05:
        maker.predict(deployment, id, [row], labels={"purpose": "test"})
    elif kind < 0.1:
        maker.predict(deployment, id, [row], error="ValueError: no", resp=Response(id=id))
    elif kind < 0.2:
        rows = [row, [draw.random() for _ in FEATURES], [0.9, 0.1, 0.2]]
        maker.append(maker.prediction(deployment, id, rows), maker.prediction(deployment, f"packed-{id}"))
        maker.truth(deployment, id, [1, 0], rows=[2, 0])
    else:
        maker.predict(deployment, id, [row], features=None if kind < 0.25 else FEATURES)
        if kind > 0.9:
            shadow = f"shop/server/{deployment}/default/{deployment}/v2"
            maker.predict(deployment, id, [row], endpoint_id=shadow, shadow_of="v1")
    if draw.random() < 0.05:
        maker.predict(deployment, f"{deployment}{max(0, i - 7)}")  # most often an id that was used
    if draw.random() < 0.08:
        maker.truth(deployment, f"nobody-{id}", [1])
    late = f"{deployment}{i - 9}" if draw.random() < 0.9 else f"{deployment}{i + 4}"
    maker.truth(deployment, late, [truth])
    if draw.random() < 0.1:
        maker.truth(deployment, late, [draw.choice([0, 1])])
