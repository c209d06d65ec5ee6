"""Who of several predictors answers."""

import dataclasses
from collections import Counter
from itertools import pairwise

import msgspec
import pytest
from scipy.stats import chisquare

from serving.graph.deployment import COMPONENT, Deployment, Node, Predictor
from serving.policies.sticky import key_hash


@pytest.fixture
def split(run, components):
    """Start a deployment of predictors that answer with their own names."""
    module = components("""
        class Says:
            def __init__(self, what):
                self.what = what
            def predict(self, X, names):
                if self.what == "bad":
                    raise RuntimeError("bad")
                return [self.what] * len(X)
    """)

    def start(weights, **more):
        predictors = tuple(
            Predictor(
                name,
                Node("says", class_name=f"{module}.Says", implementation=COMPONENT, parameters={"what": name}),
                weight,
            )
            for name, weight in weights.items()
        )
        return run(Deployment("d", predictors, **more))

    return start


def ask(server, headers=None, **body):
    return server.post("/v2/models/d/infer", {"inputs": [[1]], **body}, headers)


def test_ten_thousand_requests_are_drawn_by_weight_and_the_record_knows_the_probability(split):
    server = split({"main": 75, "canary": 20, "third": 5}, seed=5)
    said = [ask(server).json["outputs"][0] for _ in range(10_000)]
    counts = Counter(said)
    assert chisquare([counts["main"], counts["canary"], counts["third"]], [7_500, 2_000, 500]).pvalue > 0.01
    pairs = Counter(pairwise(said))
    expected = {(a, b): 9_999 * x * y for a, x in SHARES.items() for b, y in SHARES.items()}
    assert chisquare([pairs[p] for p in expected], list(expected.values())).pvalue > 0.01, "no order in the draws"
    records = server.records()
    assert [record.arm for record in records] == said
    assert {(record.arm, record.propensity) for record in records} == set(SHARES.items())
    assert {record.key_hash for record in records} == {None}
    assert {record.endpoint_id.split("/")[3] for record in records} == set(SHARES)


SHARES = {"main": 0.75, "canary": 0.2, "third": 0.05}


def test_a_key_in_a_header_or_a_label_decides_for_good(split):
    server = split({"main": 50, "canary": 50}, sticky="x-user", seed=1)
    first = {user: ask(server, {"x-user": user}).json["outputs"] for user in map(str, range(40))}
    assert {user: ask(server, {"x-user": user}).json["outputs"] for user in first} == first
    assert len({tuple(each) for each in first.values()}) == 2
    assert ask(server, labels={"x-user": "7"}).json["outputs"] == first["7"]
    body = {"data": {"ndarray": [[1]]}, "meta": {"tags": {"x-user": "7"}}}
    assert server.post("/api/v1.0/predictions", body).json["data"]["ndarray"] == first["7"]
    record = server.records()[0]
    assert (record.key_hash, record.propensity) == (key_hash("0"), 0.5)


def test_without_its_key_a_sticky_deployment_draws(split):
    server = split({"main": 50, "canary": 50}, sticky="x-user", seed=1)
    assert len({ask(server).json["outputs"][0] for _ in range(40)}) == 2


def test_a_header_forces_a_predictor(split):
    server = split({"main": 100, "canary": 0})
    answer = ask(server, {"x-leeway-predictor": "canary"})
    assert (answer.json["outputs"], answer.headers["X-Leeway-Arm"]) == (["canary"], "canary")
    wrong = ask(server, {"x-leeway-predictor": "nobody"})
    assert wrong.status == 400 and "there are main, canary" in wrong.json["error"]
    assert ask(server).json["outputs"] == ["main"]
    assert [record.propensity for record in server.records() if record.error is None] == [1.0, 1.0]


def test_a_version_in_the_path_means_the_predictor_that_has_it(run, model_files):
    nodes = {name: Node(name, uri=str(model_files[name])) for name in ("forest", "linear")}
    server = run(Deployment("d", (Predictor("main", nodes["forest"], 100), Predictor("canary", nodes["linear"], 0))))
    rows = {"inputs": [[0.9, 0.1, 0.2]]}
    version = server.post("/v2/models/d/infer", rows, {"x-leeway-predictor": "canary"}).json["model_version"]
    answer = server.post(f"/v2/models/d/versions/{version}/infer", rows)
    assert (answer.headers["X-Leeway-Arm"], answer.json["model_version"]) == ("canary", version)


def test_the_reply_says_which_predictor_it_was_and_feedback_gives_it_back(split):
    server = split({"main": 50, "canary": 50}, seed=2)
    meta = server.post("/api/v1.0/predictions", {"data": {"ndarray": [[1]]}}).json["meta"]
    told = {"response": {"meta": meta}, "reward": 1.0}
    assert server.post("/api/v1.0/feedback", told).status == 200
    assert server.post("/api/v1.0/feedback", {"response": {"meta": {"puid": "x"}}, "reward": 1.0}).status == 200
    first, second, third = server.records()
    assert second.arm == first.arm == ["main", "canary"][meta["routing"]["d/predictor"]]
    assert (second.request.id, third.arm) == (first.id, None)


def test_a_bad_arm_hurts_only_its_own_share(split):
    server = split({"main": 80, "bad": 20}, seed=3)
    statuses = Counter(ask(server).status for _ in range(500))
    records = server.records()
    assert set(statuses) == {200, 500}
    assert statuses[500] == sum(record.arm == "bad" for record in records)
    assert all((record.error is None) == (record.arm == "main") for record in records)
    assert {record.propensity for record in records if record.error} == {0.2}


def test_two_predictors_of_one_name_share_no_node(run, model_files):
    node = Node("m", uri=str(model_files["forest"]))
    server = run(Deployment("d", (Predictor("a", node, 50), Predictor("b", dataclasses.replace(node), 50))))
    assert ask(server, inputs=[[1, 2, 3]]).status == 200
    assert server.get("/v2/models").json == {"models": ["d"]}


def test_a_model_of_a_graph_is_exchanged_while_it_runs(run, model_files, estimators):
    nodes = [Node(name, uri=str(model_files[name])) for name in ("linear", "forest")]
    plane = (server := run(Deployment("d", (Predictor("a", nodes[0], 100), Predictor("b", nodes[1], 0))))).function
    plane = plane.gateway._plane
    old, other = plane.served
    new = msgspec.structs.replace(old.endpoint, id=old.endpoint.id + "-next", version="next")
    plane.replace(old._replace(endpoint=new, loaded=other.loaded))
    row = [0.9, 0.1, 0.2]
    answer = ask(server, inputs=[row])
    assert (answer.json["model_version"], answer.headers["X-Leeway-Arm"]) == ("next", "a")
    assert answer.json["outputs"] == estimators["forest"].predict([row]).tolist()
    assert server.records()[0].endpoint_id == new.id
