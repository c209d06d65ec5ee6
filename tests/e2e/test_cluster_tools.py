"""A real Prometheus and a real Alertmanager, looking at functions at work: names, rules, panels, an alert delivered."""

import importlib.util
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import pytest
import yaml

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy/prometheus/leeway.rules.yml"
PATIENCE_S = 60.0
SELDONS = ("seldon_api_executor_client_requests_seconds_summary", "seldon_api_executor_server_requests_seconds_summary")


def program(name: str) -> str:
    path = shutil.which(name)
    assert path, f"these tests use Debian's {name}: apt-get install prometheus prometheus-alertmanager"
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(true: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + PATIENCE_S
    while not (found := true()):
        assert time.monotonic() < end, f"never came: {what}"
        time.sleep(0.1)
    return found


class Webhook(HTTPServer):
    """Keeps what Alertmanager delivers."""

    def __init__(self) -> None:
        self.delivered: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", 0), _Keep)


class _Keep(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.delivered += json.loads(body)["alerts"]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@dataclass
class Prometheus:
    """A server that scrapes; `begun` is when (epoch seconds)."""

    port: int
    begun: float
    webhook: Webhook

    def get(self, path: str) -> Any:
        with urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}") as answer:
            return json.load(answer)["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        return self.get(f"query?query={quote(expression)}")["result"]

    def recorded(self, expression: str) -> list[dict[str, Any]]:
        """Every series of it from the beginning to now, a value each two seconds."""
        path = f"query_range?query={quote(expression)}&start={self.begun}&end={time.time()}&step=2"
        return self.get(path)["result"]


@pytest.fixture(scope="module")
def prometheus(mill: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Prometheus with our rules and an Alertmanager, while the mill drifts."""
    folder, port, alert_port = tmp_path_factory.mktemp("prometheus"), free_port(), free_port()
    webhook = Webhook()
    threading.Thread(target=webhook.serve_forever, daemon=True).start()
    targets = [address.removeprefix("http://") for address in speakers(mill.laptop).values()]
    (folder / "prometheus.yml").write_text(
        yaml.safe_dump(
            {
                "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                "rule_files": [str(RULES)],
                "scrape_configs": [{"job_name": "leeway", "static_configs": [{"targets": targets}]}],
                "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alert_port}"]}]}]},
            }
        )
    )
    route = {"receiver": "hook", "group_wait": "1s", "group_interval": "1s", "group_by": ["alertname"]}
    hook = {"name": "hook", "webhook_configs": [{"url": f"http://127.0.0.1:{webhook.server_port}/"}]}
    (folder / "alertmanager.yml").write_text(yaml.safe_dump({"route": route, "receivers": [hook]}))
    commands = [
        [program("prometheus"), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
         f"--web.listen-address=127.0.0.1:{port}"],
        [program("prometheus-alertmanager"), f"--config.file={folder}/alertmanager.yml",
         f"--storage.path={folder}/alerts", f"--web.listen-address=127.0.0.1:{alert_port}",
         "--cluster.listen-address="],
    ]  # fmt: skip
    with (folder / "log").open("w") as log:
        started = [subprocess.Popen(command, stdout=log, stderr=log) for command in commands]
    server = Prometheus(port, time.time(), webhook)
    try:
        until(lambda: _is_ready(port), "Prometheus")
        mill.send(900)
        until(lambda: server.query('leeway_requests_total{operation="infer"} >= 900'), "the first scrape")
        mill.send()
        mill.settle()
        until(lambda: server.query("seldon_metric_drift_is_drift == 1"), "the drift")
        until(lambda: server.query("leeway:requests:rate5m > 0"), "a recorded rate")
        yield server
    finally:
        for process in started:
            process.terminate()
            process.wait()
        webhook.shutdown()
        webhook.server_close()


def speakers(laptop: Any) -> dict[str, str]:
    """Who has metrics, and where: the platform, and what is deployed but for the dashboard."""
    status = json.loads(laptop.run("status", "--json"))
    found = {name: function["addresses"][0] for name, function in status["functions"].items() if name != "dashboard"}
    return {"the platform": status["url"], **found}


def _is_ready(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/-/ready") as answer:
            return answer.status == 200
    except OSError:
        return False


def dashboards() -> Any:
    """deploy/grafana/build.py"""
    spec = importlib.util.spec_from_file_location("grafana_dashboards", ROOT / "deploy/grafana/build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_expression_of_every_panel_has_data(prometheus):
    empty = []
    for name, (_, panels) in dashboards().PANELS.items():
        for panel, _, queries in panels:
            for expression, _ in queries:
                asked = expression.replace("$deployment", ".*").replace("$endpoint", ".*")
                if not prometheus.query(asked):
                    empty.append(f"{name}: {panel}: {asked}")
    assert empty == []


def test_prometheus_finds_nothing_wrong_with_the_names_and_texts(prometheus, mill):
    for name, address in speakers(mill.laptop).items():
        with urlopen(f"{address}/metrics") as answer:
            text = answer.read()
        checked = subprocess.run([program("promtool"), "check", "metrics"], input=text, capture_output=True)
        wrong = checked.stderr.decode().splitlines()
        assert [line for line in wrong if not line.startswith(SELDONS)] == [], name


def test_everyone_who_has_metrics_is_scraped(prometheus):
    up = {sample["metric"]["instance"]: sample["value"][1] for sample in prometheus.query("up")}
    assert len(up) >= 3 and set(up.values()) == {"1"}
    assert prometheus.query("leeway_function_ready == 1")


def test_an_alert_of_the_drift_is_delivered(prometheus):
    (alert, *_) = until(lambda: prometheus.webhook.delivered, "the alert")
    assert alert["labels"]["alertname"] == "LeewayDrift"
    assert alert["status"] == "firing"
    assert "an incident is open" in alert["annotations"]["summary"]


def test_the_rules_say_of_the_recorded_run_what_happened_and_nothing_else(prometheus, tmp_path):
    names = (
        "leeway_requests_total", "leeway_request_duration_seconds_bucket", "leeway_request_duration_seconds_count",
        "leeway_stream_lag", "leeway_position", "leeway_records_total", "seldon_metric_drift_is_drift",
    )  # fmt: skip
    series = [each for name in names for each in prometheus.recorded(name)]
    drift = [each for each in series if each["metric"]["__name__"] == "seldon_metric_drift_is_drift"]
    first = prometheus.begun
    last = max(_late(each, first) + len(each["values"]) - 1 for each in series)
    expected = [
        {"exp_labels": {**{k: v for k, v in each["metric"].items() if k != "__name__"}, "severity": "ticket"},
         "exp_annotations": {"summary": "{detector} on {endpoint}: an incident is open".format(**each["metric"])}}
        for each in drift if each["values"][-1][1] == "1"
    ]  # fmt: skip
    assert expected
    end = f"{2 * last}s"
    quiet = ("LeewayAvailabilityBurn", "LeewayLabelsStale", "LeewayConsumerStuck", "LeewayRecorderDropping")
    tests = [{"eval_time": "2s", "alertname": "LeewayDrift", "exp_alerts": []}]
    tests += [{"eval_time": end, "alertname": "LeewayDrift", "exp_alerts": expected}]
    tests += [{"eval_time": end, "alertname": name, "exp_alerts": []} for name in quiet]
    document = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "2s",
        "tests": [
            {"interval": "2s", "input_series": [_input(each, first) for each in series], "alert_rule_test": tests}
        ],
    }
    (tmp_path / "recorded.yml").write_text(yaml.safe_dump(document))
    run = subprocess.run(
        [program("promtool"), "test", "rules", "recorded.yml"], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr


def _input(series: dict[str, Any], first: float) -> dict[str, str]:
    """As promtool reads a series: a value for each two seconds, `_` where there was none."""
    metric = dict(series["metric"])
    name = metric.pop("__name__")
    labels = ",".join(f"{key}={json.dumps(value)}" for key, value in metric.items())
    return {
        "series": f"{name}{{{labels}}}",
        "values": " ".join(["_"] * _late(series, first) + [value for _, value in series["values"]]),
    }


def _late(series: dict[str, Any], first: float) -> int:
    """After how many steps of two seconds it begins."""
    return round((float(series["values"][0][0]) - first) / 2)
