"""The series that are written, and the partial sums of one range.

| series | feature | a point says |
|---|---|---|
| requests | | count = prediction records (tests, repeated ids and failures too) |
| failures | | count = those that carry an error |
| latency_us | | histogram, count, total, low and high of their whole durations in microseconds |
| rows | | count = rows that were counted (no tests, no repeated ids) |
| labelled | | count = rows whose truth was joined |
| label_lag_s | | of labelled rows: count, and total, low and high of the seconds from answer to truth |
| error | | of labelled rows: count, and total = how many were wrong |
| concept_drift | | the concept detector's statistic: count of rows, low and high |
| concept_drift_threshold | | low = high = its threshold |
| data_drift | | a window's statistic: count of windows, low and high |
| data_drift_threshold | | low = high = its threshold |
| data_drift_effect | the feature | a window's effect: count of windows, low and high |
| data_drift_missing | the feature | a window's missing rate, likewise |
| data_drift_duplicates | | a window's share of rows that equal an earlier one of it, likewise |
| performance_estimate | the metric | what a window's rows let expect of it: count of windows, low and high |
| performance_interval | the metric | low and high of the intervals around them |

Buckets are seconds of the shard's clock. Where low and high say it all, total is 0: sums of fractions would depend on
where ranges end. Every series is one of an endpoint.
"""

from dataclasses import dataclass, field

from leeway.interfaces import Point

REQUESTS, FAILURES, LATENCY_US, ROWS = "requests", "failures", "latency_us", "rows"
LABELLED, LABEL_LAG_S, ERROR = "labelled", "label_lag_s", "error"
CONCEPT, CONCEPT_THRESHOLD = "concept_drift", "concept_drift_threshold"
DATA, DATA_THRESHOLD, EFFECT, MISSING, DUPLICATES = (
    "data_drift", "data_drift_threshold", "data_drift_effect", "data_drift_missing", "data_drift_duplicates",
)  # fmt: skip
PERFORMANCE, PERFORMANCE_INTERVAL = "performance_estimate", "performance_interval"


@dataclass
class _Sum:
    count: int = 0
    total: float = 0.0
    low: float = float("inf")
    high: float = float("-inf")
    histogram: dict[int, int] = field(default_factory=dict)


class Points:
    """Collects the points of one range."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str, str, int], _Sum] = {}

    def count(self, series: str, endpoint: str, bucket: int, count: int, total: float = 0.0) -> None:
        """Add `count` things that sum up to `total`."""
        point = self._sum(series, endpoint, "", bucket)
        point.count += count
        point.total += total

    def extent(
        self, series: str, endpoint: str, bucket: int, low: float, high: float, count: int = 1, feature: str = ""
    ) -> None:
        """Add `count` values that lie between `low` and `high`; what is no number is left out."""
        if low != low or high != high:
            return
        point = self._sum(series, endpoint, feature, bucket)
        point.count += count
        point.low = min(point.low, low)
        point.high = max(point.high, high)

    def histogram(self, series: str, endpoint: str, bucket: int, counts: dict[int, int]) -> None:
        """Add counts by bin."""
        bins = self._sum(series, endpoint, "", bucket).histogram
        for number, count in counts.items():
            bins[number] = bins.get(number, 0) + count

    def named(self, range_name: str) -> list[Point]:
        """All of them as points of that range."""
        return [
            Point(
                series=series, endpoint=endpoint, feature=feature, bucket=bucket, range=range_name, count=found.count,
                total=found.total, low=found.low, high=found.high, histogram=found.histogram,
            )
            for (series, endpoint, feature, bucket), found in self._sums.items()
        ]  # fmt: skip

    def _sum(self, series: str, endpoint: str, feature: str, bucket: int) -> _Sum:
        key = (series, endpoint, feature, bucket)
        found = self._sums.get(key)
        if found is None:
            found = self._sums[key] = _Sum()
        return found
