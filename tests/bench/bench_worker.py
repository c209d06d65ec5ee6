"""How much later a worker is ready, and how much larger it is, than a bare process that unpickles the same model and
predicts with it: medians of several starts, taken in turn. Run: python tests/bench/bench_worker.py
"""

import asyncio
import base64
import http.client
import os
import pickle
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import psutil
from sklearn.ensemble import HistGradientBoostingClassifier

from leeway.local.environment import environment
from leeway.local.generation import Generation, prepare
from leeway.local.home import Home
from leeway.local.launch import Launch
from leeway.local.worker_process import WorkerProcess

RUNS = 7
LATER_S, LARGER_MB = 0.3, 20.0
ROOT = Path(__file__).parents[2]
CODE = ROOT / "functions/model_server/model_server.py"
BARE = (
    "import pickle, sys\npickle.load(open(sys.argv[1], 'rb')).predict([[.5] * 10])\nprint('ready', flush=True)\ninput()"
)


def model(folder: Path) -> Path:
    rows = np.random.default_rng(1).random((2_000, 10))
    path = folder / "model.pkl"
    path.write_bytes(pickle.dumps(HistGradientBoostingClassifier().fit(rows, rows[:, 0] > 0.5)))
    return path


def generation(home: Home, path: Path) -> Generation:
    """The function as it is deployed, its code on disk."""
    env = [{"name": "SERVING_MODEL_m", "value": str(path)}, {"name": "INFERENCE_STREAM", "value": "users/bench"}]
    spec = {
        "handler": "model_server:handler", "runtime": "python:3.11", "env": env, "triggers": {"http": {"kind": "http"}},
        "build": {"functionSourceCode": base64.b64encode(CODE.read_bytes()).decode()},
    }  # fmt: skip
    return prepare(home.function("bench-server"), {"metadata": {"name": "bench-server"}, "spec": spec})


def bare(path: Path) -> tuple[float, float]:
    """(seconds until it has predicted, MB)"""
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    start = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", BARE, str(path)], stdin=-1, stdout=-1, env=env) as child:
        assert child.stdout is not None and child.stdout.readline()
        found = time.perf_counter() - start, _mb(child.pid)
        child.communicate(b"\n")
    return found


async def worker(home: Home, built: Generation) -> tuple[float, float]:
    """(seconds until its first prediction was answered, MB)"""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        log = home.path / "worker.log"
        launch = Launch(str(home.path), "bench-server", str(built.folder), "http", 0, str(log), control=-1)
        start = time.perf_counter()
        env = environment(built.spec, home, os.environ)
        process = await WorkerProcess.start(home, launch, built.name, "http", env, listener)
        try:
            await process.ready(60)
            await process.go()
            await asyncio.to_thread(_predict, listener.getsockname()[1])
            return time.perf_counter() - start, _mb(process.record.pid)
        finally:
            process.terminate()
            await process.gone()


def _predict(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/m/predict", '{"instances": [[' + ",".join(["0.5"] * 10) + "]]}")
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    connection.close()


def _mb(pid: int) -> float:
    return psutil.Process(pid).memory_info().rss / 1e6


def main() -> int:
    """Print the figures; 1 where a worker is later or larger than it may be."""
    print(f"{platform.platform()}, Python {platform.python_version()}", end="")
    print(*(f", {name} {version(name)}" for name in ("numpy", "scikit-learn")), sep="")
    with tempfile.TemporaryDirectory() as folder:
        path, home = model(Path(folder)), Home.at(Path(folder) / "home")
        home.create()
        os.chdir(home.path)  # sockets are named relative to it
        built = generation(home, path)
        pairs = [(bare(path), asyncio.run(worker(home, built))) for _ in range(RUNS)]
        os.chdir(ROOT)
    bare_s, bare_mb, worker_s, worker_mb = (
        statistics.median(pair[who][what] for pair in pairs) for who in (0, 1) for what in (0, 1)
    )
    later_s, larger_mb = worker_s - bare_s, worker_mb - bare_mb
    print(f"bare process  ready {bare_s:.2f} s, {bare_mb:.0f} MB")
    print(f"worker        ready {worker_s:.2f} s, {worker_mb:.0f} MB")
    print(f"later by {later_s:.2f} s (target {LATER_S}), larger by {larger_mb:.0f} MB (target {LARGER_MB:.0f})")
    return int(later_s > LATER_S or larger_mb > LARGER_MB)


if __name__ == "__main__":
    sys.exit(main())
