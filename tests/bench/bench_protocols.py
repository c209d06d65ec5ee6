"""What each protocol costs in a worker more than MLRun's V2 protocol: CPU in process, nothing recorded.

10 rows of 10 features, a logistic regression. The protocols take turns; the best of several rounds, beside a fixed
calibration loop that says how fast the machine was meanwhile. Run: python tests/bench/bench_protocols.py
"""

import gc
import pickle
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import orjson
from sklearn.linear_model import LogisticRegression

from leeway.settings import Settings
from leeway.with_room import with_room
from serving.nuclio_function import NuclioFunction
from serving.settings import ServingSettings
from serving.types import HttpRequest

REQUESTS, ROUNDS = 1_000, 25
TARGET_US = 20.0
ROWS = np.random.default_rng(1).random((10, 10)).tolist()
FLAT = [value for row in ROWS for value in row]
JSON = {"content-type": "application/json"}
SELDON = "/seldon/ns/m/api/v1.0/predictions"


def request(path: str, body: object) -> HttpRequest:
    return HttpRequest("POST", path, JSON, orjson.dumps(body))


def tensor(datatype: str) -> dict:
    return {"name": "x", "shape": [10, 10], "datatype": datatype}


def raw_tensor() -> HttpRequest:
    raw = np.array(ROWS).tobytes()
    head = orjson.dumps({"inputs": [{**tensor("FP64"), "parameters": {"binary_data_size": len(raw)}}]})
    return HttpRequest("POST", "/v2/models/m/infer", {"inference-header-content-length": str(len(head))}, head + raw)


REQUEST_OF = {
    "mlrun v2": request("/v2/models/m/infer", {"inputs": ROWS}),
    "mlrun v1": request("/m/predict", {"instances": ROWS}),
    "open inference FP64": request("/v2/models/m/infer", {"inputs": [{**tensor("FP64"), "data": FLAT}]}),
    "open inference FP32": request("/v2/models/m/infer", {"inputs": [{**tensor("FP32"), "data": FLAT}]}),
    "open inference nested": request("/v2/models/m/infer", {"inputs": [{**tensor("FP64"), "data": ROWS}]}),
    "open inference raw": raw_tensor(),
    "tensorflow rows": request("/v1/models/m:predict", {"instances": ROWS}),
    "seldon ndarray": request(SELDON, {"data": {"ndarray": ROWS}}),
    "seldon tensor": request(SELDON, {"data": {"tensor": {"shape": [10, 10], "values": FLAT}}}),
}


def cpu_us(work: Callable[[], object]) -> float:
    """CPU microseconds a call."""
    start = time.process_time()
    for _ in range(REQUESTS):
        work()
    return (time.process_time() - start) * 1e6 / REQUESTS


def main() -> int:
    """Print the figures; 1 where a protocol costs more than it may."""
    print(f"{platform.platform()}, Python {platform.python_version()}", end="")
    print(*(f", {name} {version(name)}" for name in ("numpy", "scikit-learn", "orjson", "msgspec")), sep="")
    with tempfile.TemporaryDirectory() as folder:
        rows = np.random.default_rng(1).random((500, 10))
        path = Path(folder) / "model.pkl"
        path.write_bytes(pickle.dumps(LogisticRegression().fit(rows, (rows[:, 0] > 0.5).astype(int))))
        serving = ServingSettings(models={"m": str(path)}, project="bench")
        function = NuclioFunction.start(serving, Settings(home=Path(folder) / "home"), "0")
        answer = function.gateway.answer
        for name, each in REQUEST_OF.items():
            assert answer(each).status == 200, name
        gc.collect()
        rounds = [
            {name: cpu_us(lambda each=each: answer(each)) for name, each in REQUEST_OF.items()} for _ in range(ROUNDS)
        ]
        loop = min(cpu_us(lambda: sum(i * i % 7 for i in range(100))) for _ in range(ROUNDS))
        function.close()
    best = {name: min(each[name] for each in rounds) for name in REQUEST_OF}
    base, worst = best["mlrun v2"], 0.0
    for name, us in best.items():
        worst = max(worst, us - base)
        print(f"{name:22} {us:7.1f} us a request, {us - base:+6.1f}")
    print(f"most: {worst:+.1f} us (target {TARGET_US:+.0f}); calibration loop {loop:.1f} us")
    return int(worst > TARGET_US)


if __name__ == "__main__":
    sys.exit(with_room(main))  # as a worker's process
