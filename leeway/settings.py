"""Every setting of Leeway: a dotted key and its variable, LEEWAY_ + the key in capitals, dots as underscores.

`detector.arl0` is the field `detector_arl0` and the variable LEEWAY_DETECTOR_ARL0. Read once per process, by whoever
puts the parts together; nothing else looks at the environment.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from .errors import SettingError

_SWITCH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def _setting(
    key: str,
    default: Any,
    doc: str,
    low: float | None = None,
    high: float | None = None,
    foreign: str = "",
    secret: bool = False,
    one_of: tuple[str, ...] = (),
) -> Any:
    """`foreign` is the variable of a setting that is not Leeway's own; one that may hold a secret is not shown."""
    about = {"key": key, "doc": doc, "low": low, "high": high, "foreign": foreign, "one_of": one_of}
    return field(default=default, repr=not secret, metadata=about)


@dataclass(frozen=True)
class Settings:
    """The settings of one process."""

    home: Path = _setting("home", Path(".leeway"), "where everything lies that Leeway writes")
    stream: str = _setting("stream", "", "default base of scheme-less stream names; empty: the home")
    series: str = _setting("series", "", "URL of the time-series store; empty: SQLite in the home", secret=True)
    archive: str = _setting("archive", "", "URL of the Parquet archive; empty: a folder in the home", secret=True)
    state: str = _setting("state", "", "URL of the state store; empty: SQLite in the home", secret=True)
    stream_shards: int = _setting("stream.shards", 1, "shards of a stream that is created", 1, 1024)
    stream_timeout_s: float = _setting("stream.timeout_s", 10.0, "how long a broker is waited for", 0.1)
    kafka_options: str = _setting(
        "kafka.options", "", "JSON of client options (TLS, SASL), named as MLRun or librdkafka names them", secret=True
    )
    stream_kept_mb: int = _setting("stream.kept_mb", 256, "what a shard keeps for a replay when it was read", 1)
    stream_limit_mb: int = _setting("stream.limit_mb", 2_048, "what a shard holds at most, read or not", 1)
    series_points_s: int = _setting("series.points_s", 48 * 3600, "how long series stay by the second", 60)
    series_sums_s: int = _setting("series.sums_s", 366 * 86_400, "how long series stay by the minute", 60)
    archive_days: int = _setting("archive.days", 0, "days of history that the archive keeps; 0: all of them", 0)
    privacy_left_out: str = _setting("privacy.left_out", "", "columns whose values are never recorded, comma-separated")
    privacy_hashed: str = _setting(
        "privacy.hashed", "", "columns of which only a keyed hash is recorded, comma-separated"
    )
    privacy_key: str = _setting(
        "privacy.key",
        "",
        "the key of those hashes; without one they are only as secret as the values are many",
        secret=True,
    )
    outbox_limit_mb: int = _setting("outbox.limit_mb", 256, "how much may wait in one outbox", 1)
    outbox_sync: bool = _setting("outbox.sync", False, "whether each record is synced to disk before the answer")
    outbox_ack: str = _setting(
        "outbox.ack", "outbox", "what an answer waits for, outbox or stream", one_of=("outbox", "stream")
    )
    outbox_ack_s: float = _setting("outbox.ack_s", 5.0, "seconds that an answer waits for the stream at most", 0)
    range_rows: int = _setting("range.rows", 5_000, "records after which a range of the stream is committed", 1)
    range_seconds: float = _setting("range.seconds", 1.0, "seconds after its first record, likewise", 0.01)
    labels_age_s: int = _setting("labels.age_s", 30 * 86_400, "how long predictions and truth wait for each other", 1)
    labels_count: int = _setting("labels.count", 10_000_000, "how many predictions may wait for truth", 1)
    detector_arl0: int = _setting("detector.arl0", 18_000, "labelled rows to one false alarm of concept drift", 100)
    detector_odds: float = _setting("detector.odds", 1.6, "the odds ratio that the CUSUM is tuned to", 1.01, 100.0)
    detector_burst_odds: float = _setting(
        "detector.burst_odds", 1.75, "the same where errors come in bursts", 1.01, 100.0
    )
    detector_learn_rows: int = _setting(
        "detector.learn_rows",
        20_000,
        "rows up to which an error level grows by rows without alarm; 0: never",
        0,
    )
    detector_preset: str = _setting(
        "detector.preset", "default", "default, or conservative: the error level at its upper confidence bound"
    )
    detector_also: str = _setting(
        "detector.also", "", "further detectors of concept drift: ddm, eddm, pagehinkley, hddm_a, hddm_w"
    )
    pagehinkley_threshold: float = _setting("pagehinkley.threshold", 50.0, "threshold of Page-Hinkley", 0.001)
    ddm_warning_level: float = _setting("ddm.warning_level", 2.0, "deviations after which DDM warns", 0.1)
    ddm_out_control: float = _setting("ddm.out_control", 3.0, "deviations after which DDM alarms", 0.1)
    slices: str = _setting("slices", "", "columns, or expressions like period>0.5, by which errors are watched apart")
    slices_rows: int = _setting("slices.rows", 1_000, "labelled rows that set the error level of a slice", 50)
    window_rows: int = _setting("window.rows", 1_000, "rows of a data-drift window", 20)
    window_alpha: float = _setting("window.alpha", 0.01, "false-alarm rate of a data-drift window", 1e-9, 0.5)
    window_gate_wasserstein: float = _setting(
        "window.gate_wasserstein", 0.1, "what a numeric feature must move by, in spreads of the reference", 0
    )
    window_gate_jensen_shannon: float = _setting(
        "window.gate_jensen_shannon", 0.05, "what a categorical feature must move by, 0 to 1", 0, 1
    )
    window_gate_share: float = _setting(
        "window.gate_share", 0.01, "what a share of missing, unseen or out-of-range values must move by", 0, 1
    )
    window_gate_correlation: float = _setting(
        "window.gate_correlation", 0.1, "what the correlation of two features must move by, in Fisher's z", 0
    )
    dashboard_hosts: str = _setting(
        "dashboard.hosts", "", "hosts (comma-separated) that the dashboard answers to, besides this machine's own names"
    )
    dashboard_token: str = _setting(
        "dashboard.token", "", "what decisions need where the dashboard is not on this machine; empty: none are taken",
        secret=True,
    )  # fmt: skip
    dashboard_platform: str = _setting(
        "dashboard.platform", "", "URL of the Nuclio dashboard whose functions are shown; empty: the laptop's"
    )
    notify_webhook: str = _setting(
        "notify.webhook", "", "URL that is told of incidents and stuck consumers, as JSON", secret=True
    )
    notify_slack: str = _setting(
        "notify.slack", "", "URL of an incoming webhook of Slack, or of what takes the same", secret=True
    )
    notify_mlrun: str = _setting(
        "notify.mlrun", "", "JSON list of MLRun notifications (kind webhook or slack, and params) that are told too",
        secret=True,
    )  # fmt: skip
    notify_dashboard: str = _setting(
        "notify.dashboard", "", "URL of the dashboard that messages link to; empty: the laptop's"
    )
    notify_period_s: float = _setting("notify.period_s", 5.0, "seconds whose news go out in one message", 0.1)
    notify_stuck_s: float = _setting(
        "notify.stuck_s", 120.0, "seconds after which a consumer counts as stuck while messages wait", 1
    )
    log_form: str = _setting(
        "log.form", "auto", "how log lines look; auto: JSON, and text on a terminal", one_of=("auto", "json", "text")
    )
    log_level: str = _setting(
        "log.level", "info", "what is logged at least", one_of=("debug", "info", "warning", "error")
    )
    log_requests: str = _setting(
        "log.requests", "failed", "which requests are logged; failed: those answered 5xx",
        one_of=("none", "failed", "all"),
    )  # fmt: skip
    log_bodies: bool = _setting("log.bodies", False, "whether with them what was asked and answered")
    trace_url: str = _setting(
        "trace.url", "", "where spans go: an OTLP/HTTP collector, or Zipkin's .../api/v2/spans; empty: no tracing",
        secret=True,
    )  # fmt: skip
    trace_sample: float = _setting("trace.sample", 1.0, "share of the traces that begin here which are kept", 0, 1)
    trace_page: str = _setting(
        "trace.page", "", "URL of a trace's page, with {trace_id} in it, that the dashboard links to"
    )
    warming_rows: int = _setting("warming.rows", 2_000, "labelled rows that set an unknown error level", 50)
    compile_after_s: float = _setting(
        "compile.after_s", 2.0, "seconds that a worker has served before it has its models compiled", 0
    )
    function_name: str = _setting(
        "function.name", "function", "the name of the function that runs here", foreign="NUCLIO_FUNCTION_NAME"
    )
    nuclio_processor: str = _setting(
        "nuclio.processor", "", "a Nuclio processor's binary: functions run in it", foreign="NUCLIO_PROCESSOR"
    )
    nuclio_wrapper: str = _setting(
        "nuclio.wrapper", "", "its Python wrapper, _nuclio_wrapper.py", foreign="NUCLIO_PYTHON_WRAPPER_PATH"
    )
    inference_stream: str = _setting(
        "inference.stream", "", "the stream of inferences that the function reads", foreign="INFERENCE_STREAM"
    )
    mlrun_dbpath: str = _setting(
        "mlrun.dbpath", "", "the MLRun service where endpoints are registered; no URL: nowhere", foreign="MLRUN_DBPATH"
    )
    v3io_api: str = _setting("v3io.api", "", "V3IO's web API", foreign="V3IO_API")
    v3io_framesd: str = _setting(
        "v3io.framesd", "", "V3IO's Frames service, for series (grpc://framesd:8081)", foreign="V3IO_FRAMESD"
    )
    v3io_access_key: str = _setting("v3io.access_key", "", "the key to it", foreign="V3IO_ACCESS_KEY", secret=True)
    kubernetes_service_host: str = _setting(
        "kubernetes.service_host", "", "set by Kubernetes in every pod", foreign="KUBERNETES_SERVICE_HOST"
    )

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ) -> "Settings":
        """From the environment; SettingError names the variable, its value and what was expected."""
        given = {}
        for f in fields(cls):
            name = f.metadata["foreign"] or variable(f.metadata["key"])
            if environ.get(name, "") != "":
                given[f.name] = _parse(name, environ[name], f)
        return cls(**given)

    @classmethod
    def read_with(cls, changes: Mapping[str, str]) -> "Settings":
        """From the environment, with some variables changed."""
        return cls.read({**os.environ, **changes})


def variable(key: str) -> str:
    """The environment variable of a dotted key."""
    return "LEEWAY_" + key.replace(".", "_").upper()


def _parse(name: str, text: str, f: Any) -> Any:
    about = f"{name}={text!r} ({f.metadata['key']}: {f.metadata['doc']})"
    try:
        value = _SWITCH[text.lower()] if f.type is bool else f.type(text)
    except (ValueError, KeyError):
        raise SettingError(f"{about}: expected {_EXPECTED[f.type]}") from None
    if f.metadata["one_of"] and value not in f.metadata["one_of"]:
        raise SettingError(f"{about}: expected one of {', '.join(f.metadata['one_of'])}")
    low, high = f.metadata["low"], f.metadata["high"]
    if (low is not None and not value >= low) or (high is not None and not value <= high):  # NaN is neither
        raise SettingError(f"{about}: expected at least {low}" + (f" and at most {high}" if high is not None else ""))
    return value


_EXPECTED = {int: "a whole number", float: "a number", bool: "true or false", str: "text", Path: "a path"}
