"""Traffic changes and redeploys under a keep-alive client that never retries."""

import http.client
import json
import time
from contextlib import closing
from pathlib import Path

import pytest

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
REQUEST = json.dumps({"data": {"ndarray": [[1.0, 2.0]]}}).encode()


class Client:
    """One connection, one request after the other; a lost one is a failure, and is not sent again."""

    def __init__(self, address):
        self._connection = http.client.HTTPConnection(address, timeout=60)
        self.answered, self.failed = 0, []

    def close(self):
        self._connection.close()

    def ask(self):
        """The arm that answered."""
        try:
            self._connection.request("POST", "/api/v1.0/predictions", REQUEST, {"content-type": "application/json"})
            answer = self._connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.failed.append(repr(error))
            self._connection.close()
            return None
        if answer.status != 200:
            self.failed.append(body)
        self.answered += 1
        return answer.getheader("x-leeway-arm")


def deploy(laptop, canary):
    env = {"SELDON_DEPLOYMENT": YAML.format(main=100 - canary, canary=canary)}
    triggers = {"http": {"kind": "http", "numWorkers": 2}}
    status = laptop.deploy("tests-server", CODE, env=env, triggers=triggers)
    assert status["state"] == "ready", status
    return status["externalInvocationUrls"][0]


@pytest.mark.parametrize(("changes", "requests"), [(6, 600), pytest.param(50, 20_000, marks=pytest.mark.soak)])
def test_no_request_fails_while_traffic_changes_and_versions_follow(laptop, changes, requests):
    client = Client(deploy(laptop, 0))
    (seldon,) = read_seldon(YAML.format(main=100, canary=0), "d")
    share, took_s = 0, []
    with closing(connect.state(laptop.settings, SHARED)) as state, closing(client):
        for i in range(changes):
            for _ in range(requests // changes):
                client.ask()
            share = 100 - share
            if i % 3 == 2:
                deploy(laptop, share)
                client.ask()  # the old version answers an open connection once more
                (seldon,) = read_seldon(YAML.format(main=100 - share, canary=share), "d")
            else:
                began = time.monotonic()
                made = set_traffic(state, KEY, seldon.deployment, {"canary": share}, "test", f"change {i}")
                assert made.waiting == () and len(made.confirmed) >= 2, made
                took_s.append(time.monotonic() - began)
            expected = "canary" if share else "main"
            assert {client.ask() for _ in range(20)} == {expected}, i
    print(f"in every worker after {sorted(took_s)[len(took_s) // 2]:.2f} s, at most {max(took_s):.2f} s")
    assert client.failed == []
    assert client.answered >= requests
