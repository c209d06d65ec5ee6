"""Grafana's dashboards, as code. `python deploy/grafana/build.py` writes the JSON files beside it."""

from pathlib import Path

from grafana_foundation_sdk.builders import common, dashboard, prometheus, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef

_SOURCE = DataSourceRef(type_val="prometheus", uid="${prometheus}")
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


def _panel(title, unit, queries):
    panel = timeseries.Panel().title(title).unit(unit).datasource(_SOURCE).span(12).height(8)
    panel.legend(common.VizLegendOptions().show_legend(True))
    for number, (expression, legend) in enumerate(queries):
        panel.with_target(prometheus.Dataquery().expr(expression).legend_format(legend).ref_id("ABCDEF"[number]))
    return panel


def main() -> None:
    for name in PANELS:
        Path(__file__).with_name(f"{name}.json").write_text(build(name))


if __name__ == "__main__":
    main()
