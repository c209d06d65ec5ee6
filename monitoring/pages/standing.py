"""Where each endpoint stands: the numbers of the overview, worst first."""

from collections.abc import Sequence
from dataclasses import dataclass

from leeway.profile import ErrorLevel
from leeway.record import Incident

from ..latency import quantile_us
from ..series import DATA as DATA_POINTS
from ..series import ERROR, FAILURES, LABEL_LAG_S, LABELLED, LATENCY_US, REQUESTS, ROWS
from ..troubles import Trouble
from .chart import QUANTILES, merged
from .drift_state import CONCEPT, DATA, DriftState, drift_state
from .intervals import share_interval
from .source import Source
from .span import Span


@dataclass(frozen=True)
class Standing:
    """One endpoint over one span. Latencies in milliseconds, NaN where nothing was answered; `coverage` is the share
    of its rows whose truth came, `label_lag_s` how long that took on average; `error` is None where no truth came,
    `error_interval` what chance alone makes of it."""

    endpoint: str
    key: str
    state: str
    requests: int
    rate: float
    failures: int
    latency_ms: tuple[float, ...]
    rows: int
    labelled: int
    label_lag_s: float | None
    error: float | None
    error_interval: tuple[float, float] | None
    level: ErrorLevel | None
    concept: DriftState
    data: DriftState
    trouble: Trouble | None = None

    @property
    def name(self) -> str:
        """Deployment and version, which most often tell endpoints apart."""
        parts = self.endpoint.split("/")
        return f"{parts[2]} {parts[-1]}" if len(parts) == 6 else self.endpoint

    @property
    def coverage(self) -> float | None:
        return self.labelled / self.rows if self.rows else None

    @property
    def failure_share(self) -> float | None:
        return self.failures / self.requests if self.requests else None

    @property
    def is_worse(self) -> bool:
        """Whether its errors are above the reference by more than chance makes of them."""
        return bool(self.level and self.error_interval and self.error_interval[0] > self.level.level)

    @property
    def reasons(self) -> list[str]:
        """Why somebody should look at it, in words; the worst first."""
        found = {
            "not watched": self.trouble is not None, "concept drift": self.concept.is_open,
            "data drift": self.data.is_open, "error rate above its reference": self.is_worse,
            "failed requests": self.failures > 0,
        }  # fmt: skip
        return [reason for reason, holds in found.items() if holds]

    @property
    def is_urgent(self) -> bool:
        return bool(self.reasons)

    @property
    def urgency(self) -> tuple[int, float, int]:
        """What to look at first has the largest."""
        found = (self.trouble is not None, self.concept.is_open, self.data.is_open, self.is_worse)
        trouble = sum(weight * each for weight, each in zip((8, 4, 2, 1), found))
        return trouble, self.failure_share or 0.0, self.requests


def standings(source: Source, span: Span) -> list[Standing]:
    """Of every endpoint, worst first."""
    of: dict[str, list[Incident]] = {endpoint: [] for endpoint in source.watched()}
    for incident in source.incidents():
        of.get(incident.endpoint, []).append(incident)
    found = [standing(source, span, endpoint, incidents) for endpoint, incidents in of.items()]
    return sorted(found, key=lambda each: each.urgency, reverse=True)


def standing(source: Source, span: Span, endpoint: str, incidents: Sequence[Incident]) -> Standing:
    """Of one endpoint, with its incidents in the order in which they opened."""
    watched = source.watched()[endpoint]
    points = {
        name: source.points(name, endpoint, span)
        for name in (REQUESTS, FAILURES, LATENCY_US, ROWS, LABELLED, LABEL_LAG_S, ERROR, DATA_POINTS)
    }
    counts = {name: sum(point.count for point in some) for name, some in points.items()}
    histogram, wrong = merged(points[LATENCY_US]), sum(point.total for point in points[ERROR])
    profile = source.profile(endpoint)
    level = profile.errors if profile else None
    lag_s = sum(point.total for point in points[LABEL_LAG_S])
    return Standing(
        endpoint=endpoint,
        key=watched.key,
        state=watched.state,
        requests=counts[REQUESTS],
        rate=counts[REQUESTS] / span.seconds,
        failures=counts[FAILURES],
        latency_ms=tuple(quantile_us(histogram, q) / 1e3 for q in QUANTILES),
        rows=counts[ROWS],
        labelled=counts[LABELLED],
        label_lag_s=lag_s / counts[LABEL_LAG_S] if counts[LABEL_LAG_S] else None,
        error=wrong / counts[ERROR] if counts[ERROR] else None,
        error_interval=share_interval(wrong, counts[ERROR], level.inflation if level else 1.0),
        level=level,
        concept=drift_state(source, watched, CONCEPT, incidents, counts[ERROR] > 0),
        data=drift_state(source, watched, DATA, incidents, counts[DATA_POINTS] > 0),
        trouble=watched.trouble,
    )
