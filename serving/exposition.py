"""The counts as Prometheus reads them, in three vocabularies: ours, Seldon's executor's, and MLServer's."""

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    SummaryMetricFamily,
    UntypedMetricFamily,
)

from .metrics import BUCKETS_US

if TYPE_CHECKING:
    from .metrics import Metrics

_N = len(BUCKETS_US) + 1
_SELDON_US = (
    5_000, 10_000, 25_000, 50_000, 75_000, 100_000, 250_000, 500_000, 750_000, 1_000_000, 2_500_000, 5_000_000,
    7_500_000, 10_000_000,
)  # fmt: skip
_SERVICES = {"infer": "predictions", "explain": "explanations", "feedback": "feedback"}
_PATHS = {"infer": "/predict", "explain": "/explain", "feedback": "/send-feedback"}
_OF_SERVER = ["deployment_name", "predictor_name", "predictor_version", "service", "method", "code"]
_OF_MODEL = ["deployment_name", "predictor_name", "predictor_version", "model_name", "model_image", "model_version"]


class Series(NamedTuple):
    """What is known of one endpoint's requests of one operation and status."""

    endpoint: str
    deployment: str
    node: str
    version: str
    class_name: str
    arm: str
    operation: str
    status: str
    values: list[float]

    @property
    def predictor(self) -> str:
        return self.endpoint.rsplit("/", 3)[1]

    @property
    def count(self) -> float:
        return sum(self.values[:_N])

    @property
    def seconds(self) -> float:
        return self.values[_N]


class Exposition:
    """prometheus_client's collector interface, over the counts of all workers."""

    def __init__(self, metrics: "Metrics"):
        self._metrics, self._models = metrics, metrics.models()
        self._sums, self._now = metrics.counts.sums(), metrics.counts.sums(living=True)
        self._series = [Series(*key[1:], values) for key, values in sorted(self._sums.items()) if key[0] == "requests"]

    def collect(self) -> Iterator[Any]:
        yield from self._ours()
        yield from self._seldons()
        yield from self._feedback()
        yield from self._open_inference()
        if self._metrics.outlet is not None:
            yield from self._outbox()

    def _ours(self) -> Iterator[Any]:
        requests = CounterMetricFamily(
            "leeway_requests", "Requests to a deployment", labels=["deployment", "model", "arm", "operation", "status"]
        )
        latency = HistogramMetricFamily(
            "leeway_request_duration_seconds",
            "Whole durations of requests in the worker",
            labels=["deployment", "model", "arm", "operation", "status"],
        )
        one_model = [each.name for each in self._models if not each.nodes]
        found = {(name, name, "", "infer", "200"): [0.0] * (_N + 1) for name in one_model}
        for each in self._series:
            labels = each.deployment, each.node, each.arm, each.operation, each.status
            found[labels] = _added(found.get(labels, [0.0] * (_N + 1)), each.values)
        for labels, values in found.items():
            requests.add_metric(labels, sum(values[:_N]))
            latency.add_metric(labels, _cumulated(values, BUCKETS_US), sum_value=values[_N])
        yield from (requests, latency)
        in_flight = GaugeMetricFamily(
            "leeway_requests_in_flight", "Requests that workers are at now", labels=["deployment"]
        )
        flights = {each.name: 0.0 for each in self._models} | dict(self._metrics.flights(self._now))
        for deployment, count in flights.items():
            in_flight.add_metric([deployment], count)
        yield in_flight
        info = GaugeMetricFamily(
            "leeway_model_info", "The models that are served", labels=["deployment", "version", "class", "endpoint"]
        )
        engine = GaugeMetricFamily(
            "leeway_model_engine",
            "What each model runs on, and why",
            labels=["deployment", "version", "engine", "reason"],
        )
        load = GaugeMetricFamily(
            "leeway_model_load_seconds",
            "What loading the models took here",
            labels=["deployment", "version"],
        )
        for known in self._models:
            load.add_metric([known.name, known.version], known.load_s)
            info.add_metric([known.name, known.version, known.class_name, known.endpoint_id], 1)
            engine.add_metric([known.name, known.version, known.engine, known.engine_reason], 1)
        yield from (info, engine, load)
        dropped = CounterMetricFamily(
            "leeway_shadow_dropped", "Requests that a busy shadow did not see", labels=["deployment", "predictor"]
        )
        for deployment, predictor, count in self._metrics.shadows(self._sums):
            dropped.add_metric([deployment, predictor], count)
        yield dropped
        queue = GaugeMetricFamily(
            "leeway_shadow_queue", "Requests that wait for a shadow", labels=["deployment", "predictor"]
        )
        for deployment, predictor, count in self._metrics.queues(self._now):
            queue.add_metric([deployment, predictor], count)
        yield queue
        failures = self._sums.get(("failures",), [0.0])[0]
        yield CounterMetricFamily("leeway_observer_failures", "Exchanges that could not be counted", failures)

    def _seldons(self) -> Iterator[Any]:
        for who, labels, of in (
            ("server", _OF_SERVER, _server_labels),
            ("client", [*_OF_MODEL, "service", "method", "code"], _client_labels),
        ):
            name = f"seldon_api_executor_{who}_requests_seconds"
            histogram = HistogramMetricFamily(name, f"Durations of {who} requests", labels=labels)
            summary = SummaryMetricFamily(f"{name}_summary", f"Durations of {who} requests", labels=labels)
            for each in self._series:
                values = of(each)
                histogram.add_metric(values, _cumulated(each.values, _SELDON_US), sum_value=each.seconds)
                summary.add_metric(values, count_value=int(each.count), sum_value=each.seconds)
            yield histogram
            yield summary

    def _feedback(self) -> Iterator[Any]:
        count = CounterMetricFamily("seldon_api_model_feedback", "Rewards that were given", labels=_OF_MODEL)
        total = UntypedMetricFamily(
            "seldon_api_model_feedback_reward_total", "Sum of the rewards, which may be negative", labels=_OF_MODEL
        )
        for each in self._series:
            if each.operation == "feedback" and each.status == "200":
                count.add_metric(_model_labels(each), each.values[_N + 1])
                total.add_metric(_model_labels(each), each.values[_N + 2])
        yield count
        yield total

    def _open_inference(self) -> Iterator[Any]:
        labels = ["model", "version"]
        success = CounterMetricFamily("model_infer_request_success", "Inference requests answered", labels=labels)
        failure = CounterMetricFamily("model_infer_request_failure", "Inference requests refused", labels=labels)
        duration = SummaryMetricFamily("model_infer_request_duration", "Seconds of inference requests", labels=labels)
        found: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
        for each in self._series:
            if each.operation == "infer":
                of_model = found[each.deployment, each.version]
                of_model[0 if each.status == "200" else 1] += each.count
                of_model[2] += each.seconds
        for values, (good, bad, seconds) in found.items():
            success.add_metric(values, good)
            failure.add_metric(values, bad)
            duration.add_metric(values, count_value=int(good + bad), sum_value=seconds)
        yield from (success, failure, duration)

    def _outbox(self) -> Iterator[Any]:
        records, size = self._metrics.waiting(self._now)
        yield GaugeMetricFamily("leeway_outbox_records", "Records that wait to be forwarded", records)
        yield GaugeMetricFamily("leeway_outbox_bytes", "Bytes that wait to be forwarded", size)
        dropped = CounterMetricFamily(
            "leeway_records_dropped", "Records that were dropped, by reason", labels=["deployment", "reason"]
        )
        for deployment, reason, count in self._metrics.dropped(self._sums):
            dropped.add_metric([deployment, reason], count)
        yield dropped


def _server_labels(each: Series) -> list[str]:
    return [each.deployment, each.predictor, each.version, _SERVICES[each.operation], "post", each.status]


def _model_labels(each: Series) -> list[str]:
    return [each.deployment, each.predictor, each.version, each.node, each.class_name, each.version]


def _client_labels(each: Series) -> list[str]:
    return [*_model_labels(each), _PATHS[each.operation], "post", each.status]


def _added(total: list[float], values: list[float]) -> list[float]:
    return [a + b for a, b in zip(total, values)]


def _cumulated(values: list[float], bounds: tuple[int, ...]) -> list[tuple[str, float]]:
    """Prometheus's buckets, of the finer ones that were counted."""
    found, total, wanted = [], 0.0, set(bounds)
    for bound, count in zip(BUCKETS_US, values):
        total += count
        if bound in wanted:
            found.append((str(bound / 1e6), total))
    return [*found, ("+Inf", total + values[len(BUCKETS_US)])]
