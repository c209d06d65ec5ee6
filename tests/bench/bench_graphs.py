"""What graphs cost in a worker beyond their models: CPU in process, nothing recorded.

10 rows of 10 features, a logistic regression, by scikit-learn and compiled. The forms take turns; the best of several
rounds, beside a fixed calibration loop. Run: python tests/bench/bench_graphs.py
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

from leeway.model_hash import model_hash
from leeway.settings import Settings
from leeway.with_room import with_room
from serving.dataplane import DataPlane
from serving.graph.deployment import COMBINER, ROUTER, Deployment, Node, Predictor
from serving.models.compile import compile_model
from serving.models.compile_order import CompileOrder
from serving.nuclio_function import NuclioFunction
from serving.settings import ServingSettings
from serving.types import HttpRequest, InferenceRequest

REQUESTS, ROUNDS = 500, 40
TARGET_US = {"a split of two": 5.0, "a combiner of two": 50.0}
ROWS = np.random.default_rng(1).random((10, 10)).tolist()


def cpu_us(work: Callable[[], object]) -> float:
    """CPU microseconds a call."""
    start = time.process_time()
    for _ in range(REQUESTS):
        work()
    return (time.process_time() - start) * 1e6 / REQUESTS


def deployments(uri: str, is_compiled: bool) -> list[Deployment]:
    one, two, alone = (Node(name, uri=uri, parameters={"compile": is_compiled}) for name in ("a", "b", "one"))
    mean = Node("m", COMBINER, implementation="AVERAGE_COMBINER", children=(one, two))
    return [
        Deployment("one", (Predictor("default", alone),)),
        Deployment("split", (Predictor("main", one, 90), Predictor("canary", one, 10)), seed=1),
        Deployment("router", (Predictor("p", Node("r", ROUTER, implementation="RANDOM_ABTEST", children=(one, two))),)),
        Deployment("mean", (Predictor("p", mean),)),
    ]  # fmt: skip


def measure(path: Path, home: Path, is_compiled: bool) -> bool:
    """Print the figures; whether each form costs no more than it may."""
    plane = DataPlane.of(deployments(str(path), is_compiled), "bench/f", "", home)
    function = NuclioFunction.over(plane, ServingSettings(models={}), Settings(home=home), "0")
    model, request = plane.served[0].loaded.model, InferenceRequest(id="1", rows=ROWS)
    body, headers = orjson.dumps({"inputs": ROWS}), {"content-type": "application/json"}

    def ask(name: str) -> Callable[[], object]:
        asked = HttpRequest("POST", f"/v2/models/{name}/infer", headers, body)
        assert function.gateway.answer(asked).status == 200, name
        return lambda: function.gateway.answer(asked)

    works = {"model": lambda: model.predict(request), **{name: ask(name) for name in plane.names}}
    gc.collect()
    found = [{name: cpu_us(work) for name, work in works.items()} for _ in range(ROUNDS)]
    function.close()
    best = {name: min(each[name] for each in found) for name in works}
    extra = {
        "a split of two": best["split"] - best["one"],
        "a router over two": best["router"] - best["one"],
        "a combiner of two": best["mean"] - best["one"] - best["model"],
    }
    engine = plane.served[0].loaded.engine.name
    print(f"{engine}: the model alone {best['model']:.1f} us, a deployment of it {best['one']:.1f} us")
    for name, us in extra.items():
        target = f" (target {TARGET_US[name]:+.0f})" if name in TARGET_US else ""
        print(f"{name:18} {us:+6.1f} us beyond its models{target}")
    return all(extra[name] <= us for name, us in TARGET_US.items())


def main() -> int:
    """1 where a form costs more than it may."""
    print(f"{platform.platform()}, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder:
        rows = np.random.default_rng(1).random((500, 10))
        path, home = Path(folder) / "model.pkl", Path(folder) / "home"
        path.write_bytes(pickle.dumps(LogisticRegression().fit(rows, (rows[:, 0] > 0.5).astype(int))))
        compile_model(CompileOrder(file=str(path), sha256=model_hash(path), form="pickled", home=str(home)))
        passed = [measure(path, home, is_compiled) for is_compiled in (False, True)]
    loop = min(cpu_us(lambda: sum(i * i % 7 for i in range(100))) for _ in range(ROUNDS))
    print(f"calibration loop {loop:.1f} us")
    return int(not all(passed))


if __name__ == "__main__":
    sys.exit(with_room(main))  # as a worker's process
