"""Requests a second of one worker, everything recorded, in one run with MLServer, LitServe and the bare host.

A: logistic regression, 4 features; B: forest of 100 trees of depth 8; C: boosting, 100 iterations, both of 10 features.
One row a request, 32 connections, wrk; medians of rounds in which the servers take turns. `make bench-serving` puts the
others into environments of their own first; wrk is Debian's. Run: python tests/bench/bench_throughput.py [--seconds 4]
"""

import argparse
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

sys.path.insert(0, str(Path(__file__).parent))
from throughput.server import (
    BareHost,
    Leeway,
    LitServe,
    LitServeBatching,
    MlServer,
    MlServerBatching,
    Server,
    ask,
)

SERVERS = (Leeway, BareHost, MlServer, MlServerBatching, LitServe, LitServeBatching)
OURS, BARE = Leeway.name, BareHost.name
BARS = {"a": 3.0, "b": 4.0, "c": 3.0}
CONNECTIONS = 32


class Rate(NamedTuple):
    """Requests a second, and milliseconds."""

    rps: float
    p50_ms: float
    p99_ms: float


def models(folder: Path) -> tuple[dict[str, Path], dict[str, np.ndarray]]:
    """({name: file}, {name: 32 rows})"""
    iris, kinds = load_iris(return_X_y=True)
    rows, labels = make_classification(30_000, n_features=10, n_informative=6, random_state=0)
    fitted = {
        "a": LogisticRegression(max_iter=1000).fit(iris, kinds),
        "b": RandomForestClassifier(100, max_depth=8, random_state=0).fit(rows[:20_000], labels[:20_000]),
        "c": HistGradientBoostingClassifier(max_iter=100, random_state=0).fit(rows[:20_000], labels[:20_000]),
    }
    for name, model in fitted.items():
        joblib.dump(model, folder / f"{name}.joblib")
    asked = {"a": iris[::5][:32], "b": rows[20_000:20_032], "c": rows[20_000:20_032]}
    return {name: folder / f"{name}.joblib" for name in fitted}, asked


def check(server: Server, port: int, files: dict[str, Path], rows: dict[str, np.ndarray]) -> None:
    """AssertionError where it says something else than scikit-learn."""
    for name, file in files.items():
        path, body = server.request(name, rows[name].tolist())
        said = server.answer(ask(port, "POST", path, body))
        assert not said or said == joblib.load(file).predict(rows[name]).tolist(), (server.name, name, said)


def rate(port: int, path: str, body: str, seconds: int, folder: Path) -> Rate:
    """As wrk sees it; AssertionError where a request failed."""
    script = folder / "post.lua"
    lines = (f"wrk.body = [==[{body}]==]", 'wrk.method = "POST"', 'wrk.headers["Content-Type"] = "application/json"')
    script.write_text("\n".join(lines))
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s", "--latency", "-s", str(script)]
    said = subprocess.run(
        [*command, f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True, check=True
    ).stdout
    assert "Non-2xx" not in said and "Socket errors" not in said, said
    found = re.search(r"Requests/sec:\s*([\d.]+)", said)
    assert found is not None, said
    return Rate(float(found[1]), *(_ms(said, share) for share in ("50%", "99%")))


def _ms(said: str, share: str) -> float:
    number, unit = re.search(rf"{share}\s+([\d.]+)(us|ms|s)", said).groups()
    return float(number) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[unit]


def measure(folder: Path, seconds: int, rounds: int, names: list[str]) -> dict[str, dict[str, list[Rate]]]:
    """{server: {model: one Rate a round}}"""
    (folder / "models").mkdir()
    files, rows = models(folder / "models")
    found: dict[str, dict[str, list[Rate]]] = defaultdict(lambda: defaultdict(list))
    for i in range(rounds):
        for j, kind in enumerate(SERVERS):
            if names and kind.name not in names:
                continue
            server = kind(files, folder / f"{i}-{j}")
            with server.running() as port:
                check(server, port, files, rows)
                for name in files:
                    path, body = server.request(name, rows[name][:1].tolist())
                    rate(port, path, body, 1, folder)
                    found[server.name][name].append(rate(port, path, body, seconds, folder))
                if isinstance(server, Leeway):
                    server.check(port)
    return found


def main() -> int:
    """Print the figures; 1 where ours is not as many times the best of the others as it is to be."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", action="append", default=[], metavar="SERVER")
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is not installed (Debian: apt-get install wrk)")
        return 1
    print(f"{platform.platform()}, Python {platform.python_version()}, scikit-learn {version('scikit-learn')}")
    with tempfile.TemporaryDirectory() as folder:
        found = measure(Path(folder), given.seconds, given.rounds, given.only)
    median = {who: {m: statistics.median(r.rps for r in rates) for m, rates in of.items()} for who, of in found.items()}
    print(f"{'requests a second':20}" + "".join(f"{m.upper():>34}" for m in BARS))
    for who, of in found.items():
        print(f"{who:20}" + "".join(f"{_shown(of[m], median[who][m]):>34}" for m in BARS))
    others = [who for who in median if who not in (OURS, BARE)]
    if OURS not in median or not others:
        return 0
    missed = 0
    for m, bar in BARS.items():
        times = median[OURS][m] / max(median[who][m] for who in others)
        share = median[OURS][m] / median[BARE][m] if BARE in median else float("nan")
        missed += times < bar
        print(f"{m.upper()}: {times:.1f} times the best of the others (target {bar:.0f}), {share:.0%} of the bare host")
    return int(missed > 0)


def _shown(rates: list[Rate], median: float) -> str:
    p50, p99 = (statistics.median(each) for each in list(zip(*rates))[1:])
    low, high = min(each.rps for each in rates), max(each.rps for each in rates)
    return f"{median:,.0f} [{low:,.0f}-{high:,.0f}] {p50:.1f}/{p99:.1f} ms"


if __name__ == "__main__":
    sys.exit(main())
