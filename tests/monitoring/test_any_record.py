"""Whatever a record holds, it is archived or set aside, and where ranges end shows in nothing."""

import json
from collections import defaultdict

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leeway.backends.parquet_bytes import decode, encode
from leeway.backends.unify_tables import unify_tables
from leeway.interfaces import Message, State
from leeway.settings import Settings
from monitoring.pipeline import PREFIXES, Pipeline

NUMBERS = [0, -1, 2**53 + 1, 2**60, 2**63, -(2**63) - 1, 2**80, 10**400, 0.5, 1e16, 5e-324, float("nan"), float("inf")]
TEXTS = ["", "a", "b", "é\0", "\ud800", "x" * 70_000, "7"]
NAMES = st.sampled_from(["price", "f0", "f1", "row", "x_f0", "", "a\0", "\ud800"])
LEAVES = st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.sampled_from([*NUMBERS, *TEXTS])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=5
)
ROWS = st.lists(VALUES, max_size=4) | st.dictionaries(NAMES, VALUES, max_size=3) | VALUES
COUNTS = st.integers(0, 9) | st.sampled_from([-1, 2**53, 2**63 - 1, 2**63, 2**70])
TOLD = st.text(max_size=3) | st.sampled_from(TEXTS)
RECORDS = st.fixed_dictionaries(
    {
        "schema": st.just(1), "project": st.just("p"), "function_uri": st.just("p/f"), "when": TOLD,
        "id": st.sampled_from("xyz") | TOLD, "deployment": st.sampled_from("ab") | TOLD,
        "op": st.sampled_from(["infer"] * 4 + ["explain", "feedback", "feedback", "decision", "outbox_end"]),
        "endpoint_id": st.sampled_from(["p/f/a/default/a/v1", "p/f/a/default/a/v1", ""]) | TOLD,
        "origin": st.fixed_dictionaries(
            {"outbox": st.sampled_from(["", "o", "o\0"]), "seq": COUNTS,
             "dropped": st.dictionaries(TOLD, COUNTS, max_size=2)}
        ),
        "request": st.fixed_dictionaries(
            {"id": st.sampled_from("xyz"), "inputs": st.lists(ROWS, max_size=3)},
            optional={"rows": st.lists(COUNTS, max_size=3), "truth": st.lists(VALUES, max_size=3),
                      "reward": st.floats() | st.lists(st.floats(), max_size=2)},
        ),
        "resp": st.fixed_dictionaries(
            {"outputs": st.lists(VALUES, max_size=3)},
            optional={"probabilities": st.lists(st.lists(st.none() | st.floats(), max_size=3), max_size=3)},
        ),
    },
    optional={
        "microsec": COUNTS, "sampling": COUNTS, "features": st.lists(NAMES, max_size=4), "propensity": st.floats(),
        "labels": st.dictionaries(TOLD, TOLD, max_size=2), "metrics": st.dictionaries(TOLD, VALUES, max_size=2),
        "nodes": st.lists(st.fixed_dictionaries({"name": TOLD, "outputs": st.lists(VALUES, max_size=2)}), max_size=2),
        "decision": st.dictionaries(TOLD, VALUES, max_size=2), "arm": TOLD, "shadow_of": TOLD, "error": TOLD,
    },
)  # fmt: skip


class Kept(State):
    """What one consumer commits."""

    def __init__(self):
        self.values = {}

    def get(self, key):
        return self.values.get(key)

    def scan(self, prefix, after="", limit=None):
        found = sorted(key for key in self.values if key.startswith(prefix) and key > after)
        return {key: self.values[key] for key in found[:limit]}

    def commit(self, puts=None, deletes=(), expect=None):
        self.values |= puts or {}
        for key in deletes:
            self.values.pop(key, None)


def consumed(messages, settings, profile, at_once):
    """Rows by kind, verdicts, and the state's values; each range by a consumer that was just restarted."""
    kept, tables, verdicts = Kept(), defaultdict(list), []
    for start in range(0, len(messages), at_once):
        pipeline = Pipeline(0, settings, lambda endpoint: profile if endpoint.endswith("/v1") else None, kept)
        pipeline.restore({key: value for prefix in PREFIXES for key, value in kept.scan(prefix).items()}, start)
        effects = pipeline.process(messages[start : start + at_once], "range")
        for part in effects.partitions:
            tables[part.kind].append(decode(pa.BufferReader(encode(part.table)), "a file", None))
        kept.commit(effects.puts, effects.deletes)
        verdicts += effects.verdicts
    whole = {kind: unify_tables(some, is_one_stream=False).to_pylist() for kind, some in tables.items()}
    return {kind: [_without_nulls(row) for row in rows] for kind, rows in whole.items()}, repr(verdicts)


def _without_nulls(row):
    """A column that is null in every row may be absent; NaN equals itself."""
    return {name: repr(value) for name, value in row.items() if value is not None}


@pytest.fixture(scope="module")
def watching(tmp_path_factory):
    return Settings(home=tmp_path_factory.mktemp("home"), window_rows=20, warming_rows=10, detector_arl0=100)


@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(records=st.lists(RECORDS, min_size=1, max_size=5), is_ascii=st.booleans())
def test_any_record_is_archived_or_set_aside_wherever_ranges_end(watching, profile_bytes, records, is_ascii):
    texts = [json.dumps(record, ensure_ascii=is_ascii).encode("utf-8", "surrogatepass") for record in records]
    messages = [Message(0, i, 1_700_000_000 + i, "k", text) for i, text in enumerate(texts)]
    one_by_one = consumed(messages, watching, profile_bytes, 1)
    assert consumed(messages, watching, profile_bytes, len(messages)) == one_by_one
