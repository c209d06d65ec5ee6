"""What a shadow does to the live answers' p99: none, one that works, one that hangs.

Paced at 30 % of what the worker takes alone, in process; the forms take turns, and the median of the runs counts.
Run: python tests/bench/bench_shadow.py
"""

import platform
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import orjson

from leeway.settings import Settings
from serving.dataplane import DataPlane
from serving.graph.deployment import COMPONENT, Deployment, Node, Predictor
from serving.nuclio_function import NuclioFunction
from serving.settings import ServingSettings
from serving.types import HttpRequest

RUNS, SECONDS, SHARE, MOST = 5, 2.0, 0.3, 1.2
BODY = orjson.dumps({"inputs": [[0.1] * 10] * 10})
ASKED = HttpRequest("POST", "/v2/models/d/infer", {"content-type": "application/json"}, BODY)


class Live:
    def predict(self, X, names):
        return X.sum(axis=1)


class Hangs:
    def predict(self, X, names):
        threading.Event().wait()


def started(folder: Path, shadow: type | None) -> NuclioFunction:
    def node(kind: type) -> Node:
        return Node("n", class_name=f"{kind.__module__}.{kind.__name__}", implementation=COMPONENT)

    predictors = (Predictor("main", node(Live)),)
    if shadow is not None:
        predictors += (Predictor("next", node(shadow), is_shadow=True),)
    plane = DataPlane.of([Deployment("d", predictors)], "bench/f", "", folder)
    return NuclioFunction.over(plane, ServingSettings(models={}), Settings(home=folder), "0")


def p99_us(function: NuclioFunction, gap_s: float) -> float:
    """Of requests that begin `gap_s` apart."""
    found, due = [], time.perf_counter()
    end = due + SECONDS
    while due < end:
        while (now := time.perf_counter()) < due:
            time.sleep(max(0.0, due - now - 1e-4))
        function.gateway.answer(ASKED)
        found.append(time.perf_counter() - max(now, due))
        due += gap_s
    return float(np.quantile(found, 0.99)) * 1e6


def main() -> int:
    """Print the figures; 1 where a hanging shadow costs more than it may."""
    print(f"{platform.platform()}, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder:
        kinds = {"no shadow": None, "one that works": Live, "one that hangs": Hangs}
        functions = {name: started(Path(folder) / name, kind) for name, kind in kinds.items()}
        began = time.perf_counter()
        for _ in range(2_000):
            assert functions["no shadow"].gateway.answer(ASKED).status == 200
        gap_s = (time.perf_counter() - began) / 2_000 / SHARE
        runs = [{name: p99_us(function, gap_s) for name, function in functions.items()} for _ in range(RUNS)]
        for function in functions.values():
            function.close()
    median = {name: statistics.median(run[name] for run in runs) for name in kinds}
    for name, us in median.items():
        print(f"{name:15} p99 {us:7.0f} us, {us / median['no shadow']:.2f} of none ({1 / gap_s:.0f} requests/s)")
    return int(median["one that hangs"] > MOST * median["no shadow"])


if __name__ == "__main__":
    sys.exit(main())
