"""Prometheus' rules, by its own tool."""

import shutil
import subprocess
from pathlib import Path

import yaml

FOLDER = Path(__file__).parents[2] / "deploy/prometheus"


def promtool(*arguments):
    path = shutil.which("promtool")
    assert path, "the rules are tested by Debian's promtool: apt-get install prometheus"
    done = subprocess.run([path, *arguments], cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_rules_are_rules():
    assert "SUCCESS" in promtool("check", "rules", "leeway.rules.yml")


def test_each_alert_fires_when_it_should_and_not_before():
    assert "SUCCESS" in promtool("test", "rules", "leeway.test.yml")


def test_each_alert_has_a_test():
    groups = yaml.safe_load((FOLDER / "leeway.rules.yml").read_text())["groups"]
    alerts = {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}
    tests = yaml.safe_load((FOLDER / "leeway.test.yml").read_text())["tests"]
    assert alerts - {case["alertname"] for test in tests for case in test["alert_rule_test"]} == {
        "LeewayDrift"
    }  # by a recorded run: tests/e2e/test_cluster_tools.py
