"""Traffic that changes while workers run."""

import dataclasses
from contextlib import closing

import pytest

from leeway.backends import connect
from leeway.desired import LIVE, SHARED, change, desired
from leeway.workers import living
from serving.dataplane import DataPlane
from serving.errors import BadRequest, LoadError
from serving.graph.deployment import Deployment, Node, Predictor
from serving.live import Live
from serving.traffic import current, patched, set_traffic

KEY = "shop/model-server/d"


def deployment(**weights):
    predictors = [Predictor(name, Node("m", implementation="SIMPLE_MODEL"), share) for name, share in weights.items()]
    return Deployment("d", tuple(predictors), seed=1)


@pytest.fixture
def worker(run):
    """A worker of a deployment of these predictors, and the shared state."""

    def start(**weights):
        server = run(deployment(**weights))
        return server, server.function.live

    return start


@pytest.fixture
def state_of():
    opened = []

    def open(server):
        opened.append(connect.state(server.settings, SHARED))
        return opened[-1]

    yield open
    for state in opened:
        state.close()


def arms(server, count=30):
    body = {"data": {"ndarray": [[1]]}}
    return {server.post("/api/v1.0/predictions", body).headers["X-Leeway-Arm"] for _ in range(count)}


def test_a_change_is_taken_over_and_confirmed(worker, state_of):
    server, _ = worker(main=100, canary=0)
    state, own = state_of(server), deployment(main=100, canary=0)
    assert arms(server) == {"main"}
    made = set_traffic(state, KEY, own, {"canary": 100}, "anna", "why not")
    assert (made.change.weights, made.notes) == ({"main": 0, "canary": 100}, ("main gets the rest, 0 %",))
    assert len(made.confirmed) == 1 and made.waiting == ()
    assert arms(server) == {"canary"}
    assert current(state, KEY, own) == {"main": 0, "canary": 100}
    assert [(each.who, each.why) for each in desired(state, KEY).history] == [("anna", "why not")]


def test_a_worker_begins_with_what_is_in_force(worker, run, state_of):
    first, _ = worker(main=100, canary=0)
    set_traffic(state_of(first), KEY, deployment(main=100, canary=0), {"canary": 100}, "x", "")
    plane = DataPlane.of([deployment(main=100, canary=0)], "shop/model-server", "", first.settings.home)
    second = Live(lambda: connect.state(first.settings, SHARED), "shop/model-server", "1", plane.running)
    second.look()
    assert plane.running[0].split.weights == (0.0, 100.0)
    assert len(living(state_of(first), LIVE, "shop/model-server")) == 2
    second.close()
    assert len(living(state_of(first), LIVE, "shop/model-server")) == 1


def test_a_deployment_that_declares_other_shares_begins_anew(worker, state_of):
    server, live = worker(main=90, canary=10)
    change(state_of(server), KEY, {"main": 80, "canary": 20}, {"main": 0, "canary": 100}, "x", "of an older one")
    live.look()
    (running,) = live._running
    assert running.split.weights == (90.0, 10.0)


def test_while_the_state_is_away_the_last_shares_stay(tmp_path, caplog):
    def away():
        raise OSError("away")

    plane = DataPlane.of([deployment(main=100, canary=0)], "shop/model-server", "", tmp_path)
    live = Live(away, "shop/model-server", "0", plane.running)
    live.look()
    live.look()
    assert plane.running[0].split.weights == (100.0, 0.0)
    assert caplog.text.count("the state store is away") == 1
    live.close()


def test_a_worker_that_has_left_says_nothing_more(worker, state_of):
    server, live = worker(main=100, canary=0)
    live.close()
    live.look()  # as its thread may, once more
    assert living(state_of(server), LIVE, "shop/model-server") == []


def test_a_worker_that_does_not_follow_is_named(worker, state_of, monkeypatch):
    server, live = worker(main=100, canary=0)
    live._stop.set()
    monkeypatch.setattr("serving.traffic._PATIENCE_S", 0.3)
    made = set_traffic(state_of(server), KEY, deployment(main=100, canary=0), {"canary": 50}, "x", "")
    assert (made.confirmed, made.waiting) == ((), (live._name,))


@pytest.mark.parametrize(
    ("shares", "kind", "message"),
    [
        ({"nobody": 5}, BadRequest, "d has no predictor 'nobody'"),
        ({"a": 101}, BadRequest, "traffic is 101"),
        ({"a": 5}, LoadError, "Traffic must sum to 100 for multiple predictors: 5 \\+ 30 \\+ 20"),
    ],
)
def test_shares_that_do_not_add_up_are_refused_in_seldons_words(worker, state_of, shares, kind, message):
    server, _ = worker(a=50, b=30, c=20)
    state = state_of(server)
    with pytest.raises(kind, match=message):
        set_traffic(state, KEY, deployment(a=50, b=30, c=20), shares, "x", "")
    assert desired(state, KEY) is None


def test_of_three_predictors_all_that_change_are_named(worker, state_of):
    server, _ = worker(a=50, b=30, c=20)
    made = set_traffic(state_of(server), KEY, deployment(a=50, b=30, c=20), {"a": 40, "b": 40}, "x", "")
    assert made.change.weights == {"a": 40, "b": 40, "c": 20}


PATCH = {"op": "replace", "path": "/spec/predictors/1/traffic", "value": 25}


def test_a_json_patch_names_predictors_by_their_place():
    own = deployment(main=90, canary=10)
    assert patched(own, [PATCH]) == {"canary": 25}
    assert patched(own, [{**PATCH, "path": "/spec/predictors/0/traffic", "value": 50}, PATCH]) == {
        "main": 50,
        "canary": 25,
    }
    shadows = dataclasses.replace(own, predictors=(Predictor("s", Node("m"), is_shadow=True), *own.predictors))
    assert patched(shadows, [PATCH]) == {"main": 25}


@pytest.mark.parametrize(
    "patch",
    [[], {}, "x", [3], [{**PATCH, "op": "remove"}], [{**PATCH, "path": "/spec/replicas"}],
     [{**PATCH, "path": "/spec/predictors/2/traffic"}]],
)  # fmt: skip
def test_other_patches_are_refused(patch):
    with pytest.raises(BadRequest, match="expected"):
        patched(deployment(main=90, canary=10), patch)


def test_one_predictor_follows_nothing(run, tmp_path):
    server = run(deployment(main=100))
    with closing(connect.state(server.settings, SHARED)) as state:
        assert living(state, LIVE, "shop/model-server") == []
