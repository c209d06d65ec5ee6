"""A user's own Python component, in both forms that Seldon calls methods in."""

import pytest

from serving.errors import LoadError
from serving.graph.deployment import COMBINER, COMPONENT, MODEL, OUTPUT_TRANSFORMER, ROUTER, Deployment, Node, Predictor


@pytest.fixture
def serve(run, components):
    """Start a deployment of one component, or of one above others."""

    def start(code, name="C", kind=MODEL, children=(), **parameters):
        module = components(code)
        under = tuple(Node(each, class_name=f"{module}.{each}", implementation=COMPONENT) for each in children)
        node = Node("c", kind, class_name=f"{module}.{name}", implementation=COMPONENT, parameters=parameters,
                    children=under)  # fmt: skip
        return run(Deployment("g", (Predictor("default", node),)))

    return start


def predict(server, **message):
    return server.post("/api/v1.0/predictions", message or {"data": {"names": ["a", "b"], "ndarray": [[1, 2]]}})


def test_the_plain_form_gets_an_array_names_and_meta(serve):
    server = serve("""
        class C:
            class_names = ["x", "y"]
            def __init__(self, scale: int = 1):
                self.scale = scale
            def load(self):
                self.is_loaded = True
            def predict(self, X, features_names=None, meta=None):
                assert self.is_loaded and features_names == ["a", "b"] and meta["puid"] == "p", (features_names, meta)
                return X * self.scale
    """, scale=3)  # fmt: skip
    answer = predict(server, data={"names": ["a", "b"], "ndarray": [[1, 2]]}, meta={"puid": "p"})
    assert answer.json["data"] == {"names": ["x", "y"], "ndarray": [[3, 6]]}
    assert list(answer.json["meta"]["requestPath"]) == ["c"]


@pytest.mark.parametrize("signature", ["X", "X, names", "X, *args", "X, names, **kwargs", "X, names, meta=None"])
def test_a_signature_gets_what_it_takes(serve, signature):
    server = serve(f"class C:\n    def predict(self, {signature}):\n        return X + 1\n")
    assert predict(server).json["data"]["ndarray"] == [[2, 3]]


def test_the_raw_form_gets_and_gives_a_message(serve):
    server = serve("""
        class C:
            def predict_raw(self, message):
                assert message["data"]["names"] == ["a", "b"], message
                rows = [[value * 2 for value in row] for row in message["data"]["ndarray"]]
                return {"data": {"names": ["z", "w"], "ndarray": rows}, "meta": {"tags": {"raw": True}}}
    """)
    said = predict(server).json
    assert said["data"] == {"names": ["z", "w"], "ndarray": [[2, 4]]}
    assert said["meta"]["tags"] == {"raw": True}


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"strData": "hello"}, {"strData": "HELLO"}),
        ({"jsonData": {"a": 1}}, {"jsonData": {"seen": {"a": 1}}}),
        ({"binData": "aGk="}, {"strData": "hi"}),
    ],
)
def test_text_objects_and_bytes_reach_it_as_they_are(serve, message, said):
    server = serve("""
        class C:
            def predict(self, X, names):
                if isinstance(X, bytes):
                    return X.decode()
                return X.upper() if isinstance(X, str) else {"seen": X}
    """)
    answer = predict(server, **message).json
    assert {name: answer[name] for name in said} == said


def test_a_response_object_of_seldons_brings_its_own_meta(serve):
    server = serve("""
        class SeldonResponse:
            def __init__(self, data, tags=None, metrics=None):
                self.data, self.tags, self.metrics = data, tags, metrics
        class C:
            def predict(self, X, names):
                metric = {"key": "k", "type": "COUNTER", "value": 1}
                return SeldonResponse(X, tags={"from": "response"}, metrics=[metric])
            def tags(self):
                return {"from": "class", "also": 1}
    """)
    meta = predict(server).json["meta"]
    assert meta["tags"] == {"from": "response", "also": 1}
    assert meta["metrics"] == [{"key": "k", "type": "COUNTER", "value": 1}]


def test_a_metric_that_is_none_is_the_components_failure(serve):
    server = serve("""
        class C:
            def predict(self, X, names):
                return X
            def metrics(self):
                return [{"key": "k", "type": "SPEED", "value": 1}]
    """)
    answer = predict(server)
    assert answer.status == 500 and "node 'c': class C has the metric" in answer.json["status"]["info"]


def test_raw_routers_and_combiners(serve):
    code = """
        class A:
            def predict(self, X, names):
                return X + 1
        class B:
            def predict(self, X, names):
                return X + 10
        class R:
            def route_raw(self, message):
                return {"data": {"ndarray": [[1]]}}
        class S:
            def aggregate_raw(self, messages):
                first, second = (each["data"]["ndarray"][0] for each in messages["seldonMessages"])
                return {"data": {"ndarray": [first + second]}}
        class O:
            def transform_output_raw(self, message):
                return {"data": {"ndarray": [["out"]]}}
    """
    children = ("A", "B")
    assert predict(serve(code, "R", ROUTER, children)).json["data"]["ndarray"] == [[11, 12]]
    assert predict(serve(code, "S", COMBINER, children)).json["data"]["ndarray"] == [[2, 3, 11, 12]]
    assert predict(serve(code, "O", OUTPUT_TRANSFORMER, ("A",))).json["data"]["ndarray"] == [["out"]]


FEEDBACK = """
    heard = []
    class A:
        def predict(self, X, names):
            return X
        def send_feedback(self, features, names, reward, truth, routing=None):
            heard.append((type(self).__name__, features.tolist(), names, reward, truth.tolist(), routing))
    class B(A):
        pass
    class R:
        def route(self, X, names):
            return 1
        def send_feedback(self, features, names, reward, truth):
            heard.append(("R", features.tolist(), names, reward, truth.tolist()))
    class Raw(A):
        def send_feedback_raw(self, told):
            heard.append(("Raw", told["reward"], told["response"]["meta"]["routing"]))
"""


def feedback(server, routing):
    return server.post(
        "/api/v1.0/feedback",
        {
            "request": {"data": {"names": ["a"], "ndarray": [[5]]}},
            "response": {"meta": {"puid": "p", "routing": routing}},
            "reward": 0.5,
            "truth": {"data": {"ndarray": [[1]]}},
        },
    )


def heard(server):
    import sys

    return next(module.heard for name, module in sys.modules.items() if name.startswith("components_") and
                getattr(module, "heard", None))  # fmt: skip


def test_feedback_goes_the_way_that_the_request_went(serve):
    server = serve(FEEDBACK, "R", ROUTER, ("A", "B"))
    routing = predict(server).json["meta"]["routing"]
    assert feedback(server, routing).status == 200
    assert heard(server) == [("R", [[5]], ["a"], 0.5, [1]), ("B", [[5]], ["a"], 0.5, [1], -1)]
    told = next(record for record in server.records() if record.op == "feedback")
    assert (told.arm, told.request.reward, told.request.id) == ("B", 0.5, "p")
    heard(server).clear()


def test_feedback_without_a_route_rewards_nobody_below_the_router(serve):
    server = serve(FEEDBACK, "R", ROUTER, ("A", "B"))
    assert feedback(server, {}).status == 200
    assert [each[0] for each in heard(server)] == ["R"]
    assert server.records()[0].arm is None
    heard(server).clear()


def test_raw_feedback(serve):
    server = serve(FEEDBACK, "Raw")
    assert feedback(server, {"c": -1}).status == 200
    assert heard(server) == [("Raw", 0.5, {"c": -1})]
    heard(server).clear()


def test_feedback_that_a_component_fails_at_is_taken_all_the_same(serve, caplog):
    server = serve("""
        class C:
            def predict(self, X, names):
                return X
            def send_feedback(self, *args):
                raise RuntimeError("no")
    """)
    assert feedback(server, {}).status == 200
    assert "node c failed at feedback about p" in caplog.text
    assert server.records()[0].request.reward == 0.5


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("class C:\n    def route(self, X, names):\n        return 0", "class C has no method for TRANSFORM_INPUT"),
        ("class D:\n    pass", "has no class 'C'"),
        ("class C:\n    def __init__(self):\n        raise ValueError('x')", "node 'c' cannot be loaded: ValueError"),
    ],
)
def test_what_cannot_be_loaded_says_why(serve, code, message):
    with pytest.raises(LoadError, match=message):
        serve(code)
