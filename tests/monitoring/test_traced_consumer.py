"""The span of a range, and its links to the requests in it."""

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from leeway import tracing
from leeway.settings import Settings
from monitoring.shards import Shards


@pytest.fixture
def spans(make_reader, maker, monkeypatch):
    """A function that consumes what was made, with tracing on, and gives the spans."""
    exporter = InMemorySpanExporter()
    monkeypatch.setattr(tracing, "_exporter", lambda url: exporter)
    reader = make_reader()
    given = {name: getattr(reader.settings, name) for name in reader.settings.__dataclass_fields__}

    def consume(**changed):
        shards = Shards(Settings(**{**given, "trace_url": "http://x", **changed}), "s", print, lambda *at: None)
        for message in maker.messages:
            assert shards.offer(message)
        shards.close()
        return exporter.get_finished_spans()

    return consume


def traceparent(number, sampled=True):
    return f"00-{number:032x}-{number:016x}-0{int(sampled)}"


def test_a_batch_is_linked_to_the_sampled_requests_in_it(spans, maker):
    for i in range(1, 4):
        maker.predict("a", f"r{i}", trace=traceparent(i, sampled=i != 2))
    maker.predict("a", "without")
    maker.predict("a", "broken", trace="nonsense")
    maker.truth("a", "r1", [1], trace=traceparent(9))
    (batch,) = spans()
    assert batch.name == "drift batch"
    assert [(link.context.trace_id, link.context.span_id) for link in batch.links] == [(1, 1), (3, 3)]
    assert batch.attributes["leeway.linked"] == f"{1:032x},{3:032x}"
    assert (batch.attributes["leeway.stream"], batch.attributes["leeway.shard"]) == ("s", 0)


def test_links_are_bounded(spans, maker):
    for i in range(1, 301):
        maker.predict("a", f"r{i}", trace=traceparent(i))
    (batch,) = spans()
    assert len(batch.links) == 128


def test_each_range_has_a_span(spans, maker):
    for i in range(1, 31):
        maker.predict("a", f"r{i}", trace=traceparent(i))
    batches = spans(range_rows=10)
    assert [len(batch.links) for batch in batches] == [10, 10, 10]
