"""The job logs what was joined, and how often the model erred on it."""

import sys
from pathlib import Path

import pytest

from leeway.backends import connect
from leeway.clock import SystemClock
from leeway.record import FEEDBACK, INFER, Origin, Record, Request, Response, encode
from leeway.settings import Settings
from monitoring.consumer import Consumer

ENDPOINT = "shop/server/elec/default/elec/v1"


class Context:
    """Of an MLRun run, what the job uses."""

    def __init__(self):
        self.results, self.frames = {}, {}

    def log_result(self, name, value):
        self.results[name] = value

    def log_dataset(self, name, df, **options):
        self.frames[name] = df


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LEEWAY_HOME", str(tmp_path))
    monkeypatch.syspath_prepend(Path("functions/late_truth").absolute())
    yield tmp_path
    sys.modules.pop("late_truth", None)


def record(seq, op, **fields):
    fields = {"id": f"r{seq}", "endpoint_id": ENDPOINT if op == INFER else "", **fields}
    return encode(
        Record(
            schema=1, op=op, when="", project="shop", function_uri="shop/server", deployment="elec",
            origin=Origin("o", seq), **fields,
        )
    )  # fmt: skip


def test_late_rows_are_joined_and_their_error_rate_is_logged(home):
    settings = Settings(home=home, labels_age_s=100)
    stream = connect.stream("s", settings)
    consumed = [record(i, INFER, request=Request(inputs=[[1.0]]), resp=Response(outputs=[1])) for i in (1, 2, 3)]
    late = [record(i + 3, FEEDBACK, request=Request(f"r{i}", truth=[i % 2])) for i in (1, 2)]
    state, shared, series = (
        connect.state(settings, "c"),
        connect.state(settings, "shared"),
        connect.series(settings),
    )
    consumer = Consumer(
        "s", 0, settings, state, shared, series, connect.archive(settings), SystemClock(), lambda incident: None
    )
    stream.append([("k", value) for value in [*consumed, *late]])
    messages = stream.read(0, 0, 10)
    consumer.consume([m._replace(appended=m.appended + 1_000 * (m.offset >= 3)) for m in messages])
    for store in (state, shared, series, stream):
        store.close()

    from late_truth import join_late_truth

    context = Context()
    join_late_truth(context, "shop/server/elec")
    assert context.results == {"late_rows": 2, "late_error_rate": {ENDPOINT: 0.5}}
    assert context.frames["late_truth"]["truth"].tolist() == ["1", "0"]
    assert connect.archive(settings).read("late_truth")["id"].to_pylist() == ["r1", "r2"]
    empty = Context()
    join_late_truth(empty, "shop/server/other")
    assert empty.results == {"late_rows": 0, "late_error_rate": {}}
