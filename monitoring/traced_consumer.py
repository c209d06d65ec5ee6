"""A consumer whose ranges leave spans, linked to those of the requests in them."""

from typing import Any

from leeway.tracing import Spans

from .consumer import Consumer, Plan
from .pipeline import Effects


class TracedConsumer(Consumer):
    """A span for each range, from its plan to its commit."""

    def __init__(self, spans: Spans, stream_name: str, shard: int, *parts: Any):
        super().__init__(stream_name, shard, *parts)
        self._spans, self._about = spans, {"leeway.stream": stream_name, "leeway.shard": shard}

    def _end_range(self) -> None:
        with self._spans.span("drift batch", **self._about):
            super()._end_range()

    def _write(self, plan: Plan, effects: Effects) -> None:
        self._spans.tell(leeway__range=plan.name, leeway__verdicts=len(effects.verdicts))
        self._spans.link(_traces(effects))
        super()._write(plan, effects)


def _traces(effects: Effects) -> list[str]:
    """The traceparents of the predictions in a range."""
    columns = [part.table["trace"] for part in effects.partitions if part.kind == "prediction"]
    return [trace for column in columns for trace in column.drop_null().to_pylist()]
