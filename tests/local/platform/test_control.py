"""A worker's log stays small without losing a line."""

import subprocess
import sys

ROTATE = """
import sys
from pathlib import Path
from leeway.local.control import rotate
path = Path(sys.argv[1])
for line in range(40):
    print("line", line, flush=True)
    rotate(path, 100)
"""


def run(path, code=ROTATE):
    with open(path, "ab") as log:
        subprocess.run([sys.executable, "-c", code, str(path)], stdout=log, stderr=log, check=True)


def test_a_log_over_the_limit_becomes_the_older_one(tmp_path):
    path = tmp_path / "http-0.log"
    run(path)
    lines = (tmp_path / "http-0.log.1").read_text() + path.read_text()
    kept = [int(line.split()[1]) for line in lines.splitlines()]
    assert kept == list(range(kept[0], 40)), "the last two files follow each other without a gap"
    assert path.stat().st_size <= 120
    assert sorted(file.name for file in tmp_path.iterdir()) == ["http-0.log", "http-0.log.1"]


def test_of_two_workers_on_one_log_the_second_follows_the_first(tmp_path):
    """An old worker drains while a new one writes: it must not rename the new one's file."""
    path = tmp_path / "http-0.log"
    code = """
import os, sys
from pathlib import Path
from leeway.local.control import rotate
path = Path(sys.argv[1])
print("x" * 200, flush=True)
path.rename(str(path) + ".1")          # what the other worker does
path.write_text("the other's\\n")
rotate(path, 100)
print("followed", flush=True)
"""
    run(path, code)
    assert path.read_text() == "the other's\nfollowed\n"
    assert (tmp_path / "http-0.log.1").read_text() == "x" * 200 + "\n"
