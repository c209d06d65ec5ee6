"""What graphs cost in a worker beyond their models: CPU in process, nothing recorded.

10 rows of 10 features, a logistic regression. The forms take turns; the best of several rounds, beside a fixed
calibration loop. Run: python tests/bench/bench_graphs.py
"""

import gc
import pickle
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson
from sklearn.linear_model import LogisticRegression

from leeway.settings import Settings
from serving.dataplane import DataPlane
from serving.graph.deployment import COMBINER, ROUTER, Deployment, Node, Predictor
from serving.nuclio_function import NuclioFunction
from serving.settings import ServingSettings
from serving.types import HttpRequest, InferenceRequest

REQUESTS, ROUNDS = 500, 25
TARGET_US = {"a split of two": 5.0, "a router over two": 5.0, "a combiner of two": 50.0}
ROWS = np.random.default_rng(1).random((10, 10)).tolist()


def cpu_us(work: Callable[[], object]) -> float:
    """CPU microseconds a call."""
    start = time.process_time()
    for _ in range(REQUESTS):
        work()
    return (time.process_time() - start) * 1e6 / REQUESTS


def deployments(uri: str) -> list[Deployment]:
    one, two = Node("a", uri=uri), Node("b", uri=uri)
    mean = Node("m", COMBINER, implementation="AVERAGE_COMBINER", children=(one, two))
    return [
        Deployment("one", (Predictor("default", Node("one", uri=uri)),)),
        Deployment("split", (Predictor("main", one, 90), Predictor("canary", one, 10)), seed=1),
        Deployment("router", (Predictor("p", Node("r", ROUTER, implementation="RANDOM_ABTEST", children=(one, two))),)),
        Deployment("mean", (Predictor("p", mean),)),
    ]  # fmt: skip


def main() -> int:
    """Print the figures; 1 where a form costs more than it may."""
    print(f"{platform.platform()}, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder:
        rows = np.random.default_rng(1).random((500, 10))
        path = Path(folder) / "model.pkl"
        path.write_bytes(pickle.dumps(LogisticRegression().fit(rows, (rows[:, 0] > 0.5).astype(int))))
        plane = DataPlane.of(deployments(str(path)), "bench/f", "", Path(folder))
        function = NuclioFunction.over(plane, ServingSettings(models={}), Settings(home=Path(folder) / "home"), "0")
        model, request = plane.served[0].loaded.model, InferenceRequest(id="1", rows=ROWS)
        body, headers = orjson.dumps({"inputs": ROWS}), {"content-type": "application/json"}

        def ask(name: str) -> Callable[[], object]:
            asked = HttpRequest("POST", f"/v2/models/{name}/infer", headers, body)
            assert function.gateway.answer(asked).status == 200, name
            return lambda: function.gateway.answer(asked)

        works = {"model": lambda: model.predict(request), **{name: ask(name) for name in plane.names}}
        gc.collect()
        found = [{name: cpu_us(work) for name, work in works.items()} for _ in range(ROUNDS)]
        loop = min(cpu_us(lambda: sum(i * i % 7 for i in range(100))) for _ in range(ROUNDS))
        function.close()
    best = {name: min(each[name] for each in found) for name in works}
    extra = {
        "a split of two": best["split"] - best["one"],
        "a router over two": best["router"] - best["one"],
        "a combiner of two": best["mean"] - best["one"] - best["model"],
    }
    print(f"the model alone {best['model']:.1f} us, a deployment of it {best['one']:.1f} us")
    for name, us in extra.items():
        print(f"{name:18} {us:+6.1f} us beyond its models (target {TARGET_US[name]:+.0f})")
    print(f"calibration loop {loop:.1f} us")
    return int(any(us > TARGET_US[name] for name, us in extra.items()))


if __name__ == "__main__":
    sys.exit(main())
