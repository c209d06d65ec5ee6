"""How long somebody who has a model and never saw this project waits until it is monitored: the README's own lines, in
a clone of this checkout, from an empty environment.

    .venv/bin/python tests/bench/bench_newcomer.py    (make bench-newcomer)

All packages are fetched anew from the package index.
"""

import json
import os
import pickle
import platform
import re
import subprocess
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

ROOT = Path(__file__).parents[2]
HEADING, COLUMNS = "## With a model of your own", ["a", "b", "c"]
PATIENCE_S = 600


def lines() -> list[str]:
    """What the README tells to type."""
    section = (ROOT / "README.md").read_text().partition(HEADING)[2]
    return re.search(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)[1].strip().splitlines()


def own_model(folder: Path) -> np.ndarray:
    """A user's model and table, in a folder; rows to ask it with."""
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(4_000, 3)), columns=COLUMNS)
    frame["y"] = (frame["a"] + frame["b"] / 2 > 0).astype(int)
    model = LogisticRegression().fit(frame[COLUMNS].to_numpy()[:2_000], frame["y"][:2_000])
    (folder / "model.pkl").write_bytes(pickle.dumps(model))
    frame[2_000:].to_parquet(folder / "holdout.parquet")
    return frame[COLUMNS].to_numpy()[:100]


def main() -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("LEEWAY_", "MLRUN_"))}
    environ.pop("VIRTUAL_ENV", None)
    with tempfile.TemporaryDirectory() as folder:
        environ |= {"UV_CACHE_DIR": f"{folder}/uv", "PIP_CACHE_DIR": f"{folder}/pip"}
        clone = Path(folder) / "leeway"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        rows = own_model(clone)
        try:
            took = walk(clone, environ, rows)
        finally:
            subprocess.run([str(clone / ".venv/bin/leeway"), "down"], cwd=clone, env=environ, capture_output=True)
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"{machine}; Python {platform.python_version()}, mlrun {version('mlrun')}")
    for line, seconds in took:
        print(f"{seconds:7.1f} s  {line}")
    print(f"{sum(seconds for _, seconds in took):7.1f} s  in all")


def walk(clone: Path, environ: dict[str, str], rows: np.ndarray) -> list[tuple[str, float]]:
    """[(line, seconds)], and last how long it took from the first answer until it was watched."""
    took, activated = [], ""
    for line in lines():
        begin = time.monotonic()
        done = subprocess.run(
            ["bash", "-c", f"set -e; {activated}{line}"], cwd=clone, env=environ, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
        took.append((line, time.monotonic() - begin))
        activated += f"{line}; " if line.startswith("export ") else ""
    url = re.search(r"curl (\S+)/predict", done.stdout)[1]
    begin = time.monotonic()
    answer = httpx.post(f"{url}/predict", json={"instances": rows.tolist()}, timeout=PATIENCE_S)
    assert len(answer.json()["predictions"]) == len(rows), answer.text
    while not watched(clone, environ):
        assert time.monotonic() - begin < PATIENCE_S
    took.append(("ask it 100 rows, until `leeway status` shows them as watched", time.monotonic() - begin))
    return took


def watched(clone: Path, environ: dict[str, str]) -> bool:
    command = [str(clone / ".venv/bin/leeway"), "status", "--json"]
    status = json.loads(subprocess.run(command, cwd=clone, env=environ, capture_output=True, text=True).stdout)
    return bool(status["endpoints"])


if __name__ == "__main__":
    main()
