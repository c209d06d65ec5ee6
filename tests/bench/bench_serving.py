"""What a request costs in a worker, and what recording it adds: CPU of the process, the forwarder included.

One row of ten features, a logistic regression, MLRun's V2 protocol, the embedded stream; best of five, beside a fixed
calibration loop that says how fast the machine was meanwhile. Run: python tests/bench/bench_serving.py
"""

import gc
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import joblib
import numpy as np
import orjson
from sklearn.linear_model import LogisticRegression

from leeway.settings import Settings
from serving.nuclio_function import NuclioFunction
from serving.settings import ServingSettings
from serving.types import HttpRequest

REQUESTS, RUNS = 20_000, 5
RECORDING_US = 25.0
ROW = [0.1 * i for i in range(10)]


def model(folder: Path) -> LogisticRegression:
    """Fitted, and saved as model.pkl."""
    rows = np.random.default_rng(1).random((500, len(ROW)))
    fitted = LogisticRegression().fit(rows, rows[:, 0] > 0.5)
    joblib.dump(fitted, folder / "model.pkl")
    return fitted


def serve(folder: Path, stream: str) -> float:
    """CPU seconds of all requests, from the first to the last record's arrival in the stream."""
    with tempfile.TemporaryDirectory() as home:
        serving = ServingSettings(models={"m": str(folder / "model.pkl")}, stream=stream, project="bench")
        function = NuclioFunction.start(serving, Settings(home=Path(home)), "0")
        body = orjson.dumps({"inputs": [ROW]})
        request = HttpRequest("POST", "/v2/models/m/infer", {"content-type": "application/json"}, body)

        def work() -> None:
            for _ in range(REQUESTS):
                function.gateway.answer(request)
            function.close()

        seconds = cpu_seconds(work)
        if stream:
            assert function.recorder is not None and function.recorder.outlet.dropped() == {}
    return seconds


def bare(fitted: LogisticRegression) -> float:
    """CPU seconds of the model alone, asked once for the probabilities of each row."""
    row = np.array([ROW])
    return cpu_seconds(lambda: [fitted.predict_proba(row) for _ in range(REQUESTS)])


def calibrate() -> float:
    """CPU seconds of a fixed loop."""
    return cpu_seconds(lambda: sum(i * i % 7 for i in range(1_000_000)))


def cpu_seconds(work: Callable[[], object]) -> float:
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> int:
    """Print the figures; 1 where recording costs more than it may."""
    print(f"{platform.platform()}, Python {platform.python_version()}", end="")
    print(*(f", {name} {version(name)}" for name in ("numpy", "scikit-learn", "orjson", "msgspec")), sep="")
    with tempfile.TemporaryDirectory() as folder:
        fitted = model(Path(folder))
        runs = [
            (bare(fitted), serve(Path(folder), ""), serve(Path(folder), "users/bench"), calibrate())
            for _ in range(RUNS)
        ]
    alone, silent, recorded, loop = (min(column) for column in zip(*runs))
    us = 1e6 / REQUESTS
    print(f"the model alone          {alone * us:6.1f} us a request")
    print(f"served, not recorded     {silent * us:6.1f} us ({(silent - alone) * us:.1f} of them the server's)")
    print(f"served and recorded      {recorded * us:6.1f} us")
    cost = (recorded - silent) * us
    print(f"recording                {cost:6.1f} us (target {RECORDING_US:.0f}); calibration loop {loop * 1e3:.0f} ms")
    return int(cost > RECORDING_US)


if __name__ == "__main__":
    sys.exit(main())
