"""Seldon's implementations, as nodes of graphs that run."""

import pytest
from scipy.stats import binomtest

from serving.errors import LoadError
from serving.graph.deployment import COMBINER, MODEL, ROUTER, Deployment, Node, Predictor

ROW = [0.9, 0.1, 0.2]


def simple(name):
    return Node(name, MODEL, implementation="SIMPLE_MODEL")


def deployed(node, **more):
    return Deployment("g", (Predictor("default", node),), **more)


def ask(server, row=(1.0,)):
    return server.post("/api/v1.0/predictions", {"data": {"ndarray": [list(row)]}}).json


def test_the_simple_model_says_what_seldons_does(run):
    said = ask(run(deployed(simple("m"))))
    assert said["data"] == {"names": ["class0", "class1", "class2"], "ndarray": [[0.1, 0.9, 0.5]]}
    assert said["meta"]["requestPath"] == {"m": "SIMPLE_MODEL:1"}


def test_the_simple_router_takes_the_first_child(run):
    router = Node("r", ROUTER, implementation="SIMPLE_ROUTER", children=(simple("a"), simple("b")))
    server = run(deployed(router))
    assert ask(server)["meta"]["routing"] == {"r": 0, "a": -1}
    (record,) = server.records()
    assert (record.arm, record.propensity) == ("a", 1.0)


def test_the_random_test_draws_with_its_ratio_and_the_record_knows_the_probability(run):
    router = Node(
        "r", ROUTER, implementation="RANDOM_ABTEST", parameters={"ratioA": 0.3}, children=(simple("a"), simple("b"))
    )
    server = run(deployed(router, seed=4))
    routed = [ask(server)["meta"]["routing"]["r"] for _ in range(400)]
    assert binomtest(routed.count(0), 400, 0.3).pvalue > 0.01
    records = server.records()
    assert [record.arm for record in records] == ["ab"[branch] for branch in routed]
    assert {(record.arm, record.propensity) for record in records} == {("a", 0.3), ("b", 0.7)}
    assert [branch for branch in routed[:20]] != [0, 1] * 10


def test_a_seed_repeats_the_draws(run):
    router = Node("r", ROUTER, implementation="RANDOM_ABTEST", children=(simple("a"), simple("b")))
    first, second, other = (run(deployed(router, seed=seed)) for seed in (1, 1, 2))
    drawn = [[ask(server)["meta"]["routing"]["r"] for _ in range(40)] for server in (first, second, other)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_the_average_is_a_real_mean_and_every_model_is_heard(run, model_files, estimators):
    children = tuple(Node(name, uri=str(model_files[name])) for name in ("forest", "logistic"))
    server = run(deployed(Node("mean", COMBINER, implementation="AVERAGE_COMBINER", children=children)))
    answer = server.post("/v2/models/g/infer", {"inputs": [ROW]})
    (record,) = server.records()
    expected = sum(estimators[name].predict_proba([ROW]) for name in ("forest", "logistic")) / 2
    assert record.resp.probabilities[0] == pytest.approx(expected[0])
    assert answer.json["outputs"] == [int(expected[0].argmax())]
    assert [node.name for node in record.nodes] == ["forest", "logistic", "mean"]


def test_votes_are_counted(run, components):
    module = components("""
        class Says:
            def __init__(self, what):
                self.what = what
            def predict(self, X, names):
                return [self.what] * len(X)
    """)
    children = tuple(
        Node(f"m{i}", implementation="COMPONENT", class_name=f"{module}.Says", parameters={"what": what})
        for i, what in enumerate(["up", "down", "up"])
    )
    server = run(deployed(Node("vote", COMBINER, implementation="VOTING_COMBINER", children=children)))
    assert server.post("/v2/models/g/infer", {"inputs": [[1], [2]]}).json["outputs"] == ["up", "up"]


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (Node("x", implementation="TRITON_SERVER", uri="m"), "no implementation is called 'TRITON_SERVER'"),
        (Node("x", children=(simple("a"),)), "node 'x' of type MODEL has nothing that runs it"),
        (Node("x", ROUTER, children=(simple("a"),)), "node 'x' of type ROUTER has nothing that runs it"),
        (Node("x", ROUTER, implementation="RANDOM_ABTEST", children=(simple("a"),)), "RANDOM_ABTEST has 2 children"),
        (Node("x", MODEL, implementation="SIMPLE_MODEL", children=(simple("x"),)), "two nodes called 'x'"),
    ],
)
def test_what_cannot_run_is_told_when_it_is_loaded(run, node, message):
    with pytest.raises(LoadError, match=message):
        run(deployed(node))
