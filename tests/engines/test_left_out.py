"""What a machine lacks is left out and said; where CI is true, it fails."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = "tests/leeway/test_kafka.py"

pytestmark = pytest.mark.slow


def run(tmp_path, *tests, ci):
    """pytest where no program is on the PATH, so no Java."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    env = {**os.environ, "PATH": str(tmp_path), "CI": ci, "LC_ALL": "C.UTF-8"}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)


def test_tests_of_an_engine_that_is_not_there_are_left_out_and_said(tmp_path):
    done = run(tmp_path, TESTS, ci="")
    assert done.returncode == 0, done.stdout
    told = re.search(
        r"left out: (\d+) tests, as this machine lacks Java for Kafka \(Debian: apt-get install", done.stdout
    )
    assert told and int(told[1]) > 3
    assert f"{told[1]} deselected" in done.stdout and "skipped" not in done.stdout


def test_a_build_server_leaves_nothing_out(tmp_path):
    done = run(tmp_path, f"{TESTS}::test_a_topic_is_made_with_the_brokers_time", ci="true")
    assert done.returncode == 1
    assert "this machine lacks Java for Kafka" in done.stdout
    assert "left out" not in done.stdout
