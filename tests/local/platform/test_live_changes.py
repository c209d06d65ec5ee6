"""Traffic changes, loads, unloads and redeploys under keep-alive clients that never retry."""

import http.client
import json
import pickle
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from sklearn.linear_model import LinearRegression

from leeway.backends import connect
from leeway.desired import SHARED
from serving.graph.seldon_deployment import read_seldon
from serving.traffic import set_traffic

pytestmark = pytest.mark.slow

CODE = (Path(__file__).parents[3] / "functions/model_server/model_server.py").read_text()
YAML = """
metadata: {{name: d}}
spec:
  predictors:
  - {{name: main, traffic: {main}, graph: {{name: m, implementation: SIMPLE_MODEL}}}}
  - {{name: canary, traffic: {canary}, graph: {{name: m, implementation: SIMPLE_MODEL}}}}
"""
KEY = "tests/server/d"
SPLIT = "/seldon/ns/d/api/v1.0/predictions", json.dumps({"data": {"ndarray": [[1.0, 2.0]]}})
LOADED = "/loaded/predict", json.dumps({"instances": [[1.0]]})
UNLOADED = "/unloaded/predict", json.dumps({"instances": [[1.0]]})


class Client:
    """One connection, one request after the other, in turn; a lost one is a failure, and is not sent again. What is
    unloaded may be answered 404."""

    def __init__(self, address, *requests):
        self._connection = http.client.HTTPConnection(address, timeout=60)
        self._requests = requests
        self.answered, self.failed = 0, []

    def close(self):
        self._connection.close()

    def ask(self):
        """(the arm that answered, the body) of the next one."""
        path, body = self._requests[self.answered % len(self._requests)]
        try:
            self._connection.request("POST", path, body, {"content-type": "application/json"})
            answer = self._connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.failed.append(repr(error))
            self._connection.close()
            return None, b""
        if answer.status != 200 and not (path == UNLOADED[0] and answer.status == 404 and b"unloaded" in said):
            self.failed.append(said)
        self.answered += 1
        return answer.getheader("x-leeway-arm"), said

    def keep_asking(self, stop):
        while not stop.is_set():
            self.ask()


class Served:
    """The function, and the changes that can be made to it."""

    def __init__(self, laptop, folder):
        self._laptop, self._folder = laptop, folder
        self._share, self._factor = 0, 1
        self.took_s = []
        for name in ("loaded", "unloaded"):
            self._write(name)
        self.address = self._deploy()

    def traffic(self):
        (seldon,) = read_seldon(self._yaml, "d")
        self._share = 100 - self._share
        began = time.monotonic()
        with closing(connect.state(self._laptop.settings, SHARED)) as state:
            made = set_traffic(state, KEY, seldon.deployment, {"canary": self._share}, "test", "")
        assert made.waiting == () and len(made.confirmed) >= 2, made
        self.took_s.append(time.monotonic() - began)

    def load(self):
        self._factor += 1
        self._write("loaded")
        self._change("loaded/load")

    def unload(self):
        self._change("unloaded/unload")
        self._change("unloaded/load")

    def redeploy(self):
        """With the shares as they were set meanwhile."""
        self._deploy()

    def check(self):
        """Whichever worker answers, it is as the last change wanted it."""
        said = []
        for _ in range(6):
            with closing(Client(self.address, SPLIT, LOADED, UNLOADED)) as client:
                said += [client.ask() for _ in range(6)]
                assert client.failed == []
        assert {arm for arm, _ in said if arm} == {"canary" if self._share else "main"}
        assert {round(json.loads(body)["predictions"][0]) for _, body in said[1::3]} == {self._factor}

    def _deploy(self):
        self._yaml = YAML.format(main=100 - self._share, canary=self._share)
        env = {
            "SELDON_DEPLOYMENT": self._yaml,
            "SERVING_MODEL_loaded": str(self._folder / "loaded.pkl"),
            "SERVING_MODEL_unloaded": str(self._folder / "unloaded.pkl"),
            "SERVING_PARAMS": '{"compile": false}',
        }
        triggers = {"http": {"kind": "http", "numWorkers": 2}}
        status = self._laptop.deploy("tests-server", CODE, env=env, triggers=triggers)
        assert status["state"] == "ready", status
        return status["externalInvocationUrls"][0]

    def _write(self, name):
        model = LinearRegression().fit([[0.0], [1.0], [2.0]], [self._factor * x for x in range(3)])
        (self._folder / f"{name}.pkl").write_bytes(pickle.dumps(model))

    def _change(self, path):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        with closing(connection):
            connection.request("POST", f"/v2/repository/models/{path}")
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()


@pytest.mark.parametrize(
    ("changes", "requests"), [(8, 800), pytest.param(50, 20_000, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])]
)
def test_no_request_fails_while_everything_changes(laptop, tmp_path, changes, requests):
    served = Served(laptop, tmp_path)
    clients = [Client(served.address, SPLIT, LOADED), Client(served.address, UNLOADED)]
    stop = threading.Event()
    threads = [threading.Thread(target=client.keep_asking, args=(stop,)) for client in clients]
    for thread in threads:
        thread.start()
    try:
        kinds = (served.traffic, served.load, served.redeploy, served.unload)
        for i in range(changes):
            kinds[i % len(kinds)]()
            served.check()
            wanted = (i + 1) * requests // changes
            laptop.until(lambda wanted=wanted: sum(client.answered for client in clients) >= wanted, "their answers")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        for client in clients:
            client.close()
    answered = sum(client.answered for client in clients)
    print(f"{answered} answers; traffic in every worker after at most {max(served.took_s):.2f} s")
    assert [client.failed for client in clients] == [[], []]
    assert answered >= requests
