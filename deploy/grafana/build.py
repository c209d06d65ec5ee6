"""Grafana's dashboards, as code. `python deploy/grafana/build.py` writes the JSON files beside it."""

from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders import common, dashboard, prometheus, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef

_SOURCE = DataSourceRef(type_val="prometheus", uid="${prometheus}")
_POSTGRES = "grafana-postgresql-datasource"
_OF_DEPLOYMENT, _OF_ENDPOINT = '{deployment=~"$deployment"}', '{endpoint=~"$endpoint"}'
_REQUESTS = 'rate(leeway_requests_total{deployment=~"$deployment",operation="infer"}[5m])'
_BUCKETS = 'rate(leeway_request_duration_seconds_bucket{deployment=~"$deployment"}[5m])'
_SELDON = 'rate(seldon_api_executor_server_requests_seconds_count{deployment_name=~"$deployment"}[5m])'

# {dashboard: (title, [(panel, unit, [(expression, legend)])])}
PANELS = {
    "overview": ("Leeway: overview", [
        ("Requests a second", "reqps", [("sum by (deployment) (rate(leeway_requests_total[5m]))", "{{deployment}}")]),
        ("Failures", "percentunit", [
            ('sum by (deployment) (rate(leeway_requests_total{status=~"5.."}[5m])'
             " or 0 * rate(leeway_requests_total[5m])) / sum by (deployment) (rate(leeway_requests_total[5m]))",
             "{{deployment}}"),
        ]),
        ("Latency, p95", "s", [
            ("histogram_quantile(0.95, sum by (deployment, le) (rate(leeway_request_duration_seconds_bucket[5m])))",
             "{{deployment}}"),
        ]),
        ("Open incidents", "short", [("seldon_metric_drift_is_drift", "{{detector}} {{endpoint}}")]),
        ("Messages that wait in streams", "short", [("leeway_stream_lag", "{{stream}}")]),
        ("Bytes that wait in outboxes", "bytes", [("sum(leeway_outbox_bytes)", "outboxes")]),
        ("Records, by what became of them", "short", [
            ("sum by (kind, outcome) (leeway_records_total)", "{{kind}} {{outcome}}"),
        ]),
    ]),
    "endpoint": ("Leeway: endpoint", [
        ("Requests a second, by status", "reqps", [(f"sum by (status) ({_REQUESTS})", "{{status}}")]),
        ("Latency", "s", [
            (f"histogram_quantile({q}, sum by (le) ({_BUCKETS}))", f"p{100 * q:.0f}") for q in (0.5, 0.95, 0.99)
        ]),
        ("Requests a second, by service and code", "reqps", [
            (f"sum by (service, code) ({_SELDON})", "{{service}} {{code}}"),
        ]),
        ("Requests a second, by model and arm", "reqps", [
            (f"sum by (deployment, model, arm) ({_REQUESTS})", "{{deployment}} {{model}} {{arm}}"),
        ]),
        ("Latency by model and arm, p95", "s", [
            (f"histogram_quantile(0.95, sum by (deployment, model, arm, le) ({_BUCKETS}))",
             "{{deployment}} {{model}} {{arm}}"),
        ]),
        ("Requests in flight", "short", [(f"leeway_requests_in_flight{_OF_DEPLOYMENT}", "{{deployment}}")]),
        ("Models", "short", [(f"leeway_model_info{_OF_DEPLOYMENT}", "{{deployment}} {{version}}")]),
    ]),
    "drift": ("Leeway: drift", [
        ("Error rate and its reference", "percentunit", [
            (f"leeway_error_ratio{_OF_ENDPOINT}", "{{endpoint}}"),
            (f"leeway_reference_error_ratio{_OF_ENDPOINT}", "reference {{endpoint}}"),
        ]),
        ("Statistic and threshold", "short", [
            (f"seldon_metric_drift_distance{_OF_ENDPOINT}", "{{detector}}"),
            (f"seldon_metric_drift_threshold{_OF_ENDPOINT}", "threshold {{detector}}"),
        ]),
        ("Labelled share", "percentunit", [(f"leeway_label_coverage_ratio{_OF_ENDPOINT}", "{{endpoint}}")]),
        ("Time from answer to truth", "s", [(f"leeway_label_lag_seconds{_OF_ENDPOINT}", "{{endpoint}}")]),
    ]),
}  # fmt: skip
_POINTS = """(SELECT line, bucket, count, total, low, high FROM leeway_point
    UNION ALL SELECT line, bucket, count, total, low, high FROM leeway_minute) AS point
  JOIN leeway_line ON leeway_line.id = point.line"""


def _over_time(series: str, value: str) -> str:
    """A series of the store by the minute and endpoint."""
    return f"""SELECT to_timestamp(bucket - bucket % 60) AS time, endpoint AS metric, {value} AS value
FROM {_POINTS}
WHERE series = '{series}' AND $__unixEpochFilter(bucket)
GROUP BY 1, 2 ORDER BY 1, 2"""


_SHARED = "FROM leeway_item WHERE name = 'shared' AND starts_with(key, 'monitoring/{}/')"

# {panel of the dashboard "store": (title, unit, kind, SQL)}: what the stores in PostgreSQL hold, longer than Prometheus
SQL_PANELS = [
    ("Requests a minute", "short", "timeseries", _over_time("requests", "sum(count)")),
    ("Error rate of labelled rows", "percentunit", "timeseries", _over_time("error", "sum(total) / sum(count)")),
    ("Mean latency", "us", "timeseries", _over_time("latency_us", "sum(total) / nullif(sum(count), 0)")),
    ("Time from answer to truth", "s", "timeseries", _over_time("label_lag_s", "sum(total) / sum(count)")),
    ("Concept detector", "short", "timeseries", _over_time("concept_drift", "max(high)")),
    ("Data drift: -log10 of a window's smallest p-value", "short", "timeseries", _over_time("data_drift", "max(high)")),
    ("Effect of each feature", "short", "timeseries", f"""SELECT to_timestamp(bucket - bucket % 60) AS time,
  feature || ' of ' || endpoint AS metric, max(high) AS value
FROM {_POINTS}
WHERE series = 'data_drift_effect' AND $__unixEpochFilter(bucket)
GROUP BY 1, 2 ORDER BY 1, 2"""),
    ("Incidents", "", "table", f"""SELECT to_timestamp((found->'opened'->>'appended')::bigint) AS opened,
  found->>'state' AS state, found->>'detector' AS detector, found->>'endpoint' AS endpoint,
  array_to_string(ARRAY(SELECT jsonb_array_elements_text(found->'features')), ', ') AS moved, found->>'id' AS id
FROM (SELECT convert_from(value, 'UTF8')::jsonb AS found {_SHARED.format("incident")}) AS incident
ORDER BY opened DESC"""),
    ("Consumers", "", "table", f"""SELECT found->>'stream' AS stream, found->>'shard' AS shard,
  (found->>'position')::bigint AS position
FROM (SELECT convert_from(value, 'UTF8')::jsonb AS found {_SHARED.format("consumer")}) AS consumer ORDER BY 1, 2"""),
]  # fmt: skip
_VARIABLES = {
    "overview": (),
    "endpoint": (("deployment", "label_values(leeway_model_info, deployment)"),),
    "drift": (("endpoint", "label_values(leeway_error_ratio, endpoint)"),),
}


def build(name: str) -> str:
    """One dashboard as JSON."""
    title, panels = PANELS[name]
    built = dashboard.Dashboard(title).uid(f"leeway-{name}").tags(["leeway"]).time("now-1h", "now").refresh("10s")
    built.with_variable(dashboard.DatasourceVariable("prometheus").type("prometheus"))
    for variable, query in _VARIABLES[name]:
        made = dashboard.QueryVariable(variable).query(query).datasource(_SOURCE).multi(True).include_all(True)
        built.with_variable(made)
    for panel, unit, queries in panels:
        built.with_panel(_panel(panel, unit, queries))
    return JSONEncoder(sort_keys=True, indent=2).encode(built.build()) + "\n"


def build_store() -> str:
    """The dashboard of the SQL panels."""
    built = dashboard.Dashboard("Leeway: store").uid("leeway-store").tags(["leeway"]).time("now-7d", "now")
    built.with_variable(dashboard.DatasourceVariable("postgres").type(_POSTGRES))
    for title, unit, kind, sql in SQL_PANELS:
        panel = (timeseries if kind == "timeseries" else table).Panel().title(title)
        panel = panel.unit(unit).datasource(DataSourceRef(type_val=_POSTGRES, uid="${postgres}"))
        built.with_panel(panel.span(24 if kind == "table" else 12).height(8).with_target(_Sql(sql, kind)))
    return JSONEncoder(sort_keys=True, indent=2).encode(built.build()) + "\n"


class _Sql:
    """A query of Grafana's PostgreSQL data source, for which the SDK has no builder."""

    def __init__(self, sql: str, kind: str):
        self._sql, self._format = sql, "time_series" if kind == "timeseries" else "table"

    def build(self) -> "_Sql":
        return self

    def to_json(self) -> dict[str, Any]:
        return {
            "refId": "A", "rawSql": self._sql, "format": self._format, "rawQuery": True, "editorMode": "code",
            "datasource": {"type": _POSTGRES, "uid": "${postgres}"},
        }  # fmt: skip


def _panel(title, unit, queries):
    panel = timeseries.Panel().title(title).unit(unit).datasource(_SOURCE).span(12).height(8)
    panel.legend(common.VizLegendOptions().show_legend(True))
    for number, (expression, legend) in enumerate(queries):
        panel.with_target(prometheus.Dataquery().expr(expression).legend_format(legend).ref_id("ABCDEF"[number]))
    return panel


def main() -> None:
    for name in PANELS:
        Path(__file__).with_name(f"{name}.json").write_text(build(name))
    Path(__file__).with_name("store.json").write_text(build_store())


if __name__ == "__main__":
    main()
