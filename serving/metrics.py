"""What one worker has done, for Prometheus. Counting is plain arithmetic; the text is made when it is asked for."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from leeway.outbox import Outbox

from .types import Endpoint, Exchange, Operation

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS_US = (
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    10_000_000,
)  # fmt: skip

_SERVICES = {Operation.INFER: "predictions", Operation.EXPLAIN: "explanations", Operation.FEEDBACK: "feedback"}


class Durations:
    """How long requests of one kind took; each has its place in `buckets`."""

    def __init__(self) -> None:
        self.buckets, self.seconds = [0] * (len(BUCKETS_US) + 1), 0.0

    def add(self, microsec: int) -> None:
        self.buckets[bisect_left(BUCKETS_US, microsec)] += 1
        self.seconds += microsec / 1e6


class Metrics:
    """Counts by deployment, operation and status; only deployments that are served have series. `outbox` is None
    where nothing is recorded."""

    def __init__(self, endpoints: Sequence[Endpoint], outbox: Outbox | None):
        self._endpoints, self._outbox = endpoints, outbox
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._buckets: dict[str, list[int]] = {each.deployment: [0] * (len(BUCKETS_US) + 1) for each in endpoints}
        self._seconds = dict.fromkeys(self._buckets, 0.0)
        self._whole: dict[tuple[str, str, int], Durations] = {}
        self._failures = 0

    def see(self, exchange: Exchange) -> None:
        self._requests[exchange.deployment, exchange.operation, exchange.status] += 1
        self._buckets[exchange.deployment][bisect_left(BUCKETS_US, exchange.microsec)] += 1
        self._seconds[exchange.deployment] += exchange.microsec / 1e6
        kind = (exchange.deployment, exchange.operation, exchange.status)
        durations = self._whole.get(kind)
        if durations is None:
            durations = self._whole[kind] = Durations()
        durations.add(exchange.microsec)

    def observer_failed(self) -> None:
        """Somebody who watches raised: counted, and nothing else."""
        self._failures += 1

    def text(self) -> bytes:
        """In Prometheus's text format."""
        from prometheus_client import CollectorRegistry, generate_latest

        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)

    def collect(self) -> Iterator[Any]:
        """prometheus_client's collector interface."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        requests = CounterMetricFamily(
            "leeway_requests", "Requests to a deployment", labels=["deployment", "operation", "status"]
        )
        for (deployment, operation, status), count in sorted(self._requests.items()):
            requests.add_metric([deployment, operation, str(status)], count)
        yield requests
        latency = HistogramMetricFamily(
            "leeway_request_duration_seconds", "Whole durations of requests in the worker", labels=["deployment"]
        )
        for deployment, counts in self._buckets.items():
            latency.add_metric([deployment], _cumulated(counts), sum_value=self._seconds[deployment])
        yield latency
        yield self._of_seldon()
        info = GaugeMetricFamily(
            "leeway_model_info", "The models that are served", labels=["deployment", "version", "class", "endpoint"]
        )
        for each in self._endpoints:
            info.add_metric([each.deployment, each.version, each.class_name, each.id], 1)
        yield info
        yield CounterMetricFamily("leeway_observer_failures", "Exchanges that could not be counted", self._failures)
        if self._outbox is not None:
            yield from self._of_outbox(self._outbox)

    def _of_seldon(self) -> Any:
        """Durations under the name and the labels that Seldon Core gave them, for dashboards that know those."""
        from prometheus_client.core import HistogramMetricFamily

        predictors = {each.deployment: each.id.split("/")[3] for each in self._endpoints}
        versions = {each.deployment: each.version for each in self._endpoints}
        family = HistogramMetricFamily(
            "seldon_api_executor_server_requests_seconds",
            "Whole durations of requests, by what was asked and what came of it",
            labels=["deployment_name", "predictor_name", "predictor_version", "service", "method", "code"],
        )
        for (deployment, operation, status), durations in sorted(self._whole.items()):
            labels = [
                deployment,
                predictors[deployment],
                versions[deployment],
                _SERVICES[operation],
                "post",
                str(status),
            ]
            family.add_metric(labels, _cumulated(durations.buckets), sum_value=durations.seconds)
        return family

    def _of_outbox(self, outbox: Outbox) -> Iterator[Any]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        records, size = outbox.waiting()
        yield GaugeMetricFamily("leeway_outbox_records", "Records that wait to be forwarded", records)
        yield GaugeMetricFamily("leeway_outbox_bytes", "Bytes that wait to be forwarded", size)
        dropped = CounterMetricFamily(
            "leeway_records_dropped", "Records that were dropped, by reason", labels=["deployment", "reason"]
        )
        for key, reasons in outbox.dropped().items():
            for reason, count in reasons.items():
                dropped.add_metric([key.split("/", 2)[-1], reason], count)
        yield dropped


def _cumulated(counts: Sequence[int]) -> list[tuple[str, int]]:
    found, total = [], 0
    for bound, count in zip([*(str(each / 1e6) for each in BUCKETS_US), "+Inf"], counts):
        total += count
        found.append((bound, total))
    return found
