"""Routers that learn: from the request over feedback and the stream's consumer to the next draws, in every worker."""

from contextlib import closing

import pytest

from leeway.backends import connect
from leeway.desired import SHARED, Reward, rewards
from leeway.interfaces import Message
from monitoring.shards import Shards
from serving.errors import LoadError
from serving.graph.deployment import COMBINER, MODEL, ROUTER, Deployment, Node, Predictor
from tests.serving.conftest import STREAM

KEY = "shop/model-server/g"


def simple(name):
    return Node(name, MODEL, implementation="SIMPLE_MODEL")


def bandit(implementation, *names, **parameters):
    children = tuple(map(simple, names))
    return Node("r", ROUTER, implementation=implementation, parameters=parameters, children=children)


def deployed(node, **more):
    return Deployment("g", (Predictor("default", node),), seed=9, **more)


def ask(server, id=None):
    meta = {} if id is None else {"puid": id}
    return server.post("/api/v1.0/predictions", {"data": {"ndarray": [[1]]}, "meta": meta}).json["meta"]


def counted(server):
    """What the consumer counts of all that was recorded so far; ends the server."""
    server.function.close()
    errors = []
    shards = Shards(server.settings, STREAM, errors.append, lambda shard, position: None)
    with closing(connect.stream(STREAM, server.settings)) as stream:
        for message in stream.read(0, 0, 10_000):
            assert isinstance(message, Message) and shards.offer(message)
    shards.close()
    with closing(connect.state(server.settings, SHARED)) as state:
        assert errors == []
        return rewards(state, KEY)


@pytest.mark.parametrize("implementation", ["EPSILON_GREEDY", "THOMPSON_SAMPLING"])
def test_without_rewards_all_arms_are_equal_and_the_record_knows_it(run, implementation):
    server = run(deployed(bandit(implementation, "a", "b", epsilon=0.1)))
    for _ in range(20):
        ask(server)
    assert {(record.arm, record.propensity) for record in server.records()} == {("a", 0.5), ("b", 0.5)}


@pytest.mark.parametrize("implementation", ["EPSILON_GREEDY", "THOMPSON_SAMPLING"])
def test_rewards_by_puid_and_by_routing_teach_it_and_outlive_a_restart(run, implementation):
    deployment = deployed(bandit(implementation, "a", "b", epsilon=0.1))
    server = run(deployment)
    for i in range(60):
        meta = ask(server, f"r{i}")
        good = float(meta["routing"]["r"] == 1)
        if i % 2:  # nobody needs to know the arm
            assert server.post("/v2/models/g/feedback", {"id": f"r{i}", "reward": good}).status == 200
        else:
            told = {"response": {"meta": {"routing": meta["routing"]}}, "reward": good}
            assert server.post("/api/v1.0/feedback", told).status == 200
    found = counted(server)
    assert found["a"].total == 0 and found["b"].total == found["b"].tries
    assert found["a"].tries + found["b"].tries == 60
    after = run(deployment, home=server.settings.home)
    routed = [ask(after)["routing"]["r"] for _ in range(100)]
    assert routed.count(1) > 80
    shares = {record.propensity for record in after.records()[-100:] if record.arm == "b"}
    assert len(shares) == 1 and shares.pop() >= 0.9


def test_a_worker_that_runs_learns_with_its_next_look(run):
    server = run(deployed(bandit("EPSILON_GREEDY", "a", "b", epsilon=0)))
    with closing(connect.state(server.settings, SHARED)) as state:
        value = b'{"b":[10,9.0,9.0],"a":[10,1.0,1.0]}'
        state.commit({f"monitoring/rewards/{KEY}": value})
    server.function.live.look()
    assert {ask(server)["routing"]["r"] for _ in range(20)} == {1}


def test_a_bandit_of_one_predictor_of_several_hears_of_its_own_arms_only(run):
    node = bandit("EPSILON_GREEDY", "a", "b", epsilon=0)
    predictors = (Predictor("main", node, 100), Predictor("canary", simple("a"), 0))
    server = run(Deployment("g", predictors, seed=1))
    (running,) = server.function.live._running
    running.bandits[0].learn({"a": Reward(5, 5.0, 5.0), "main/b": Reward(5, 4.0, 4.0), "main/a": Reward(5, 1.0, 1.0)})
    answers = [ask(server) for _ in range(10)]
    assert {answer["routing"]["r"] for answer in answers} == {1}
    assert {record.arm for record in server.records()} == {"main/b"}


def test_what_cannot_learn_is_refused(run):
    children = (bandit("EPSILON_GREEDY", "a", "b"), simple("c"))
    combiner = Node("mean", COMBINER, implementation="AVERAGE_COMBINER", children=children)
    with pytest.raises(LoadError, match="below a node that asks all its children cannot learn"):
        run(deployed(combiner))
    with pytest.raises(LoadError, match="epsilon is 'much'"):
        run(deployed(bandit("EPSILON_GREEDY", "a", "b", epsilon="much")))
    with pytest.raises(LoadError, match="chooses among children, and has none"):
        run(deployed(bandit("THOMPSON_SAMPLING")))
