"""Graphs in Seldon's order, through the gateway, and what their records keep."""

import threading

import pytest

from serving.graph.deployment import (
    COMBINER,
    COMPONENT,
    MODEL,
    OUTPUT_TRANSFORMER,
    ROUTER,
    TRANSFORMER,
    Deployment,
    Node,
    Predictor,
)

ROW = [0.9, 0.1, 0.2]
CODE = """
    import threading
    import numpy as np
    from serving.errors import BadRequest

    class Add:
        def __init__(self, n=1):
            self.n = n
        def predict(self, X, names, meta=None):
            return np.asarray(X) + self.n
        transform_input = predict
        transform_output = predict
        def tags(self):
            return {"last": self.n, f"add{self.n}": True}
        def metrics(self):
            return [{"key": "n", "type": "GAUGE", "value": self.n}]

    class To:
        def __init__(self, branch):
            self.branch = branch
        def route(self, X, names):
            return np.int64(self.branch) if self.branch is not None else "left"
        def tags(self):
            return {"routed": True}

    class Sum:
        def aggregate(self, Xs, names):
            return np.sum(Xs, axis=0)

    class Broken:
        def predict(self, X, names):
            raise RuntimeError("secret")

    class Picky:
        def predict(self, X, names):
            raise BadRequest("too small")

    class Stuck:
        release = threading.Event()
        def predict(self, X, names):
            self.release.wait(60)
            return X

    class Meet:
        barrier = threading.Barrier(2, timeout=30)
        def predict(self, X, names):
            self.barrier.wait()
            return X
"""


@pytest.fixture
def made(components):
    """Make a node of a class of CODE."""
    module = components(CODE)

    def make(class_name, name=None, kind=MODEL, children=(), timeout_s=None, **parameters):
        return Node(
            name or class_name.lower(), kind, class_name=f"{module}.{class_name}", implementation=COMPONENT,
            parameters=parameters, children=tuple(children), timeout_s=timeout_s,
        )  # fmt: skip

    return make


def deployed(node, **more):
    return Deployment("g", (Predictor("default", node),), **more)


def ask(server, rows=((1.0, 2.0),), **meta):
    return server.post("/api/v1.0/predictions", {"data": {"ndarray": [list(row) for row in rows]}, "meta": meta})


def test_transformers_come_before_and_after_what_is_below_them(run, made):
    model = made("Add", "model", n=1)
    before = made("Add", "before", TRANSFORMER, [model], n=10)
    server = run(deployed(made("Add", "after", OUTPUT_TRANSFORMER, [before], n=100)))
    answer = ask(server, puid="p")
    assert answer.json["data"]["ndarray"] == [[112.0, 113.0]]
    meta = answer.json["meta"]
    assert meta["routing"] == {"after": -1, "before": -1, "model": -1}
    assert list(meta["requestPath"]) == ["after", "before", "model"]
    assert meta["tags"] == {"last": 100, "add10": True, "add1": True, "add100": True}
    assert [each["value"] for each in meta["metrics"]] == [10, 1, 100]
    (record,) = server.records()
    assert [(node.name, node.outputs) for node in record.nodes] == [
        ("before", [[11.0, 12.0]]), ("model", [[12.0, 13.0]]), ("after", [[112.0, 113.0]])
    ]  # fmt: skip
    assert (record.model, record.arm, record.propensity) == ("after", None, None)
    assert record.endpoint_id.startswith("shop/model-server/g/default/after/")


def test_a_model_with_children_is_a_chain(run, made):
    server = run(deployed(made("Add", "one", MODEL, [made("Add", "two", n=5)], n=1)))
    assert ask(server).json["data"]["ndarray"] == [[7.0, 8.0]]


@pytest.mark.parametrize(
    ("branch", "outputs", "routed"),
    [(0, [[2.0, 3.0]], 0), (1, [[6.0, 7.0]], 1), (-1, [[2.0, 3.0]], -1), (-2, [[1.0, 2.0]], -2)],
)
def test_a_router_takes_a_child_all_of_them_or_none(run, made, branch, outputs, routed):
    children = [made("Add", "a", n=1), made("Add", "b", n=5)]
    server = run(deployed(made("To", "router", ROUTER, children, branch=branch)))
    answer = ask(server)
    assert answer.json["data"]["ndarray"] == outputs
    assert answer.json["meta"]["routing"]["router"] == routed
    assert "routed" not in answer.json["meta"].get("tags", {})
    (record,) = server.records()
    assert (record.nodes[0].name, record.nodes[0].outputs) == ("router", [branch])
    assert record.arm == {0: "a", 1: "b"}.get(branch) and record.propensity is None


@pytest.mark.parametrize("branch", [2, -3, None])
def test_a_route_to_nowhere_is_the_routers_failure(run, made, branch):
    server = run(deployed(made("To", "router", ROUTER, [made("Add", "a"), made("Add", "b")], branch=branch)))
    answer = ask(server)
    assert (answer.status, "'router'" in answer.json["status"]["info"]) == (500, True)


def test_a_combiner_merges_its_childrens_meta_in_their_order(run, made):
    children = [made("Add", "a", n=1), made("Add", "b", n=5)]
    server = run(deployed(made("Sum", "sum", COMBINER, children)))
    answer = ask(server, tags={"of": "caller"})
    assert answer.json["data"]["ndarray"] == [[8.0, 10.0]]
    assert answer.json["meta"]["tags"] == {"of": "caller", "last": 5, "add1": True, "add5": True}
    assert [each["value"] for each in answer.json["meta"]["metrics"]] == [1, 5]
    (record,) = server.records()
    assert [node.name for node in record.nodes] == ["a", "b", "sum"]


def test_several_children_without_a_combiner_answer_with_the_first(run, made):
    server = run(deployed(made("Add", "top", MODEL, [made("Add", "a", n=1), made("Add", "b", n=5)], n=0)))
    assert ask(server).json["data"]["ndarray"] == [[2.0, 3.0]]


def test_children_work_side_by_side(run, made):
    server = run(deployed(made("Sum", "sum", COMBINER, [made("Meet", "a"), made("Meet", "b")])))
    assert ask(server).json["data"]["ndarray"] == [[2.0, 4.0]]


def test_an_error_names_its_node_and_the_record_keeps_the_others(run, made):
    children = [made("Add", "fine"), made("Broken", "bad"), made("Picky", "picky")]
    server = run(deployed(made("Sum", "sum", COMBINER, children)))
    answer = ask(server)
    assert answer.status == 500
    assert "node 'bad' failed with RuntimeError" in answer.json["status"]["info"]
    assert "secret" not in answer.json["status"]["info"]
    (record,) = server.records()
    assert [node.name for node in record.nodes] == ["fine", "bad", "picky"]
    assert [node.error is None for node in record.nodes] == [True, False, False]
    assert "'bad'" in record.error and record.request.inputs == [[1.0, 2.0]]


def test_a_node_that_refuses_is_a_4xx_with_its_name(run, made):
    answer = ask(run(deployed(made("Add", "one", MODEL, [made("Picky")]))))
    assert (answer.status, answer.json["status"]["info"]) == (400, "node 'picky': too small")


def test_a_node_has_its_time(run, made):
    server = run(deployed(made("Add", "one", MODEL, [made("Stuck", timeout_s=0.05)])))
    answer = ask(server)
    assert (answer.status, answer.json["status"]["info"]) == (504, "node 'stuck' did not answer within 0.05 s")
    import sys

    sys.modules[made("Stuck").class_name.partition(".")[0]].Stuck.release.set()
    assert server.records()[0].nodes[1].error.startswith("node 'stuck' did not answer")


def test_a_models_own_server_names_are_models(run, model_files, estimators):
    node = Node("clf", uri=str(model_files["forest"]), implementation="SKLEARN_SERVER")
    server = run(deployed(node))
    assert ask(server, [ROW]).json["data"]["ndarray"] == estimators["forest"].predict([ROW]).tolist()
    (record,) = server.records()
    assert record.nodes == [] and record.endpoint_id.startswith("shop/model-server/g/default/clf/")


def test_a_model_gives_its_probabilities_where_it_is_told_to(run, model_files, estimators):
    node = Node(
        "clf", uri=str(model_files["forest"]), implementation="SKLEARN_SERVER", parameters={"method": "predict_proba"}
    )
    data = ask(run(deployed(node)), [ROW]).json["data"]
    assert data["ndarray"] == estimators["forest"].predict_proba([ROW]).tolist()
    assert data["names"] == ["0", "1"]


def test_every_protocol_reaches_a_graph(run, made):
    server = run(deployed(made("Add", "one", MODEL, [made("Add", "two", n=5)], n=1)))
    rows = [[1.0, 2.0]]
    tensor = {"name": "x", "shape": [1, 2], "datatype": "FP64", "data": [1.0, 2.0]}
    assert server.post("/v2/models/g/infer", {"inputs": rows}).json["outputs"] == [[7.0, 8.0]]
    assert server.post("/g/predict", {"instances": rows}).json["predictions"] == [[7.0, 8.0]]
    assert server.post("/v1/models/g:predict", {"instances": rows}).json == {"predictions": [[7.0, 8.0]]}
    assert server.post("/v2/models/g/infer", {"inputs": [tensor]}).json["outputs"][0]["data"] == [7.0, 8.0]
    assert server.get("/v2/models/g/ready").status == 200
    version = server.get("/v2/models/g").json["versions"][0]
    assert server.post(f"/v2/models/g/versions/{version}/infer", {"inputs": rows}).status == 200
    assert server.post("/v2/models/g/versions/other/infer", {"inputs": rows}).status == 404
    graph = server.get("/api/v1.0/metadata").json
    assert (graph["name"], list(graph["models"])) == ("default", ["one", "two"])
    assert server.get("/api/v1.0/metadata/g").status == 200
    assert server.get("/docs/openapi.json").status == 200
    assert b'leeway_requests_total{arm="",deployment="g"' in server.get("/metrics").raw


def test_columns_that_are_named_reach_each_model_in_its_own_order(run, tmp_path, estimators):
    import pickle

    import pandas as pd
    from sklearn.linear_model import LinearRegression

    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [0.0, 5.0, 1.0]})
    for name, columns in (("ab", ["a", "b"]), ("ba", ["b", "a"])):
        model = LinearRegression().fit(frame[columns], frame["a"])
        (tmp_path / f"{name}.pkl").write_bytes(pickle.dumps(model))
    children = tuple(Node(name, uri=str(tmp_path / f"{name}.pkl")) for name in ("ab", "ba"))
    server = run(deployed(Node("mean", COMBINER, implementation="AVERAGE_COMBINER", children=children)))
    answer = server.post("/api/v1.0/predictions", {"data": {"names": ["b", "a"], "ndarray": [[9.0, 4.0]]}})
    assert answer.json["data"]["ndarray"] == pytest.approx([4.0])


def test_many_at_once_get_their_own_answers(run, made):
    server = run(deployed(made("Sum", "sum", COMBINER, [made("Add", "a", n=1), made("Add", "b", n=2)])))
    wrong = []

    def work(i):
        for j in range(20):
            said = ask(server, [[i * 100.0 + j]]).json["data"]["ndarray"]
            if said != [[2 * (i * 100.0 + j) + 3]]:
                wrong.append(said)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
