"""How much later a worker is ready, and how much larger it is, than a bare process that unpickles the same model and
predicts with it; and how soon and how large a worker is that has its model compiled. Medians of several starts, taken
in turn. Run: python tests/bench/bench_worker.py
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
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path

import numpy as np
import psutil
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from leeway.local.environment import environment
from leeway.local.generation import Generation, prepare
from leeway.local.home import Home
from leeway.local.launch import Launch
from leeway.local.worker_process import WorkerProcess
from leeway.model_hash import model_hash
from serving.models.compile import compile_model
from serving.models.compile_order import CompileOrder

RUNS = 7
LATER_S, LARGER_MB = 0.3, 20.0
COMPILED_S, COMPILED_MB = 0.4, 110.0
ROOT = Path(__file__).parents[2]
CODE = ROOT / "functions/model_server/model_server.py"
BARE = (
    "import pickle, sys\npickle.load(open(sys.argv[1], 'rb')).predict([[.5] * 10])\nprint('ready', flush=True)\ninput()"
)


def models(folder: Path) -> dict[str, Path]:
    """One for each engine."""
    rows = np.random.default_rng(1).random((2_000, 10))
    found = {
        "boosted": HistGradientBoostingClassifier(),
        "forest": RandomForestClassifier(),
        "linear": LogisticRegression(),
    }
    for name, each in found.items():
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(each.fit(rows, rows[:, 0] > 0.5)))
    return {name: folder / f"{name}.pkl" for name in found}


def compiled(home: Home, path: Path) -> None:
    """Put its compiled form into the home."""
    order = CompileOrder(file=str(path), sha256=model_hash(path), form="pickled", home=str(home.path))
    assert compile_model(order).form is not None


def generation(home: Home, path: Path, parameters: str) -> Generation:
    """The function as it is deployed, its code on disk."""
    env = [
        {"name": "SERVING_MODEL_m", "value": str(path)},
        {"name": "INFERENCE_STREAM", "value": "users/bench"},
        {"name": "SERVING_PARAMS", "value": parameters},
    ]
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
        files, home = models(Path(folder)), Home.at(Path(folder) / "home")
        home.create()
        for path in files.values():
            compiled(home, path)
        os.chdir(home.path)  # sockets are named relative to it
        native = generation(home, files["boosted"], '{"compile": false}')
        runs: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for _ in range(RUNS):
            runs["bare process"].append(bare(files["boosted"]))
            runs["worker"].append(asyncio.run(worker(home, native)))
            for name, path in files.items():
                runs[f"compiled, {name}"].append(asyncio.run(worker(home, generation(home, path, "{}"))))
        os.chdir(ROOT)
    found = {name: tuple(statistics.median(values) for values in zip(*each)) for name, each in runs.items()}
    for name, (seconds, mb) in found.items():
        print(f"{name:18} ready {seconds:.2f} s, {mb:.0f} MB")
    later_s, larger_mb = (a - b for a, b in zip(found["worker"], found["bare process"]))
    print(f"worker: later by {later_s:.2f} s (target {LATER_S}), larger by {larger_mb:.0f} MB (target {LARGER_MB:.0f})")
    late, large = (max(each[i] for name, each in found.items() if name.startswith("compiled")) for i in (0, 1))
    print(f"compiled: {late:.2f} s (target {COMPILED_S}), {large:.0f} MB (target {COMPILED_MB:.0f})")
    return int(later_s > LATER_S or larger_mb > LARGER_MB or late > COMPILED_S or large > COMPILED_MB)


if __name__ == "__main__":
    sys.exit(main())
