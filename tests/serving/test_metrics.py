import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from serving.graph.deployment import COMPONENT, Deployment, Node, Predictor
from serving.metrics import Metrics
from serving.nuclio_function import NuclioFunction
from serving.settings import ServingSettings
from serving.types import HttpRequest


def samples(server):
    text = server.get("/metrics").raw.decode()
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_requests_and_durations_are_counted_by_deployment(server):
    for body in ({"instances": [[1, 2, 3]]}, {"instances": [[1, 2, 3]]}, {"instances": []}):
        server.post("/linear/predict", body)
    server.post("/linear/feedback", {"id": "a", "truth": [1]})
    found = samples(server)
    assert found["leeway_requests_total", "", "200", "infer", "linear", "linear"] == 2
    assert found["leeway_requests_total", "", "400", "infer", "linear", "linear"] == 1
    assert found["leeway_requests_total", "", "200", "feedback", "linear", "linear"] == 1
    assert found["leeway_request_duration_seconds_count", "", "200", "infer", "linear", "linear"] == 2
    assert found["leeway_request_duration_seconds_bucket", "", "+Inf", "400", "infer", "linear", "linear"] == 1
    assert found["leeway_request_duration_seconds_sum", "", "200", "infer", "linear", "linear"] > 0
    assert found["leeway_requests_in_flight", "linear"] == 0
    assert found["leeway_outbox_records",] >= 0 and found["leeway_outbox_bytes",] >= 0


def test_what_nobody_serves_makes_no_series(server):
    before = set(samples(server))
    for i in range(20):
        server.post(f"/unknown-{i}/predict", {"instances": [[1, 2, 3]]})
        server.get(f"/v2/models/unknown-{i}")
    assert set(samples(server)) == before


PARTS = st.one_of(st.text(max_size=12), st.sampled_from(["v2", "models", "linear", "infer", "predict", "api", "v1.0"]))
HEADERS = st.dictionaries(
    st.sampled_from(["x-request-id", "traceparent", "seldon-puid", "x-leeway-predictor"]), st.text(max_size=20)
)


@pytest.fixture
def split(run, components):
    """A server of one deployment, d, whose requests are shared out between `main` and `canary`."""
    module = components("""
        class Linear:
            held, entered = None, None
            def predict(self, X, names):
                if self.held is not None:
                    Linear.entered.set()
                    Linear.held.wait(60)
                return [1] * len(X)
    """)
    node = Node("linear", class_name=f"{module}.Linear", implementation=COMPONENT)
    server = run(Deployment("d", (Predictor("main", node, 50), Predictor("canary", node, 50)), seed=1))
    server.linear = sys.modules[module].Linear
    return server


@pytest.mark.parametrize("kind", ["server", "split"])
def test_no_client_makes_series(request, kind):
    """Labels are those of what is served, and fixed words, whatever is asked."""
    server = request.getfixturevalue(kind)
    served = set(server.function.gateway._plane.names)

    @settings(max_examples=150, deadline=None)
    @given(st.sampled_from(["GET", "POST", "PUT", "X"]), st.lists(PARTS, max_size=7), st.binary(max_size=40), HEADERS)
    def ask(method, parts, body, headers):
        server.ask(method, "/" + "/".join(parts), body, headers)

    ask()
    server.post(f"/{min(served)}/predict", {"instances": [[1, 2, 3]]})
    labels = {}
    for family in text_string_to_metric_families(server.get("/metrics").raw.decode()):
        for sample in family.samples:
            for name, value in sample.labels.items():
                labels.setdefault(name, set()).add(value)
    assert labels["deployment"] <= served and labels["deployment_name"] <= served
    assert labels["status"] <= {"200", "400", "401", "403", "404", "405", "413", "415", "500", "501"}
    assert labels["operation"] <= {"infer", "explain", "feedback"}
    assert labels["arm"] <= {"", "main", "canary"} and labels["model"] <= served | {"linear"}
    assert all(len(values) <= 40 for values in labels.values())


def test_each_model_says_who_it_is(server):
    known = server.get("/v2/models/forest").json
    labels = sorted(["forest", known["versions"][0], "RandomForestClassifier", known["model_endpoint_uid"]])
    assert samples(server)["leeway_model_info", *labels] == 1
    assert 0 < labelled(server, "leeway_model_load_seconds")["forest", known["versions"][0]] < 300


def test_a_graph_says_what_loading_all_its_models_took(run, model_files):
    nodes = [Node(name, uri=str(model_files[name])) for name in ("forest", "linear")]
    server = run(Deployment("d", tuple(Predictor(node.name, node, 50) for node in nodes), seed=1))
    (load_s,) = labelled(server, "leeway_model_load_seconds").values()
    parts = [each.loaded.load_s for each in server.function._repository._plane.served]
    assert len(parts) == 2 and load_s == sum(parts) > 0


def labelled(server, name):
    """{(label values...): value} of one series, labels in the order of their names"""
    text = server.get("/metrics").raw.decode()
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


def test_seldons_names_and_labels(server):
    version = server.get("/v2/models/linear").json["versions"][0]
    api = "/seldon/ns/linear/api/v1.0"
    server.post(f"{api}/predictions", {"data": {"ndarray": [[1, 2, 3]]}})
    server.post(f"{api}/predictions", {})
    for reward in (0, -1, 3):
        server.post(f"{api}/feedback", {"reward": reward})
    name = "seldon_api_executor_server_requests_seconds"
    good = ("200", "linear", "post", "default", version, "predictions")
    assert labelled(server, f"{name}_count")[good] == 1
    assert labelled(server, f"{name}_summary_count")[good] == 1
    assert labelled(server, f"{name}_sum")[good] > 0
    assert labelled(server, f"{name}_count")["400", "linear", "post", "default", version, "predictions"] == 1
    buckets = {key[2] for key in labelled(server, f"{name}_bucket")}
    assert {"0.005", "0.075", "0.75", "7.5", "10.0", "+Inf"} <= buckets and len(buckets) == 15
    model = ("linear", "LinearRegression", "linear", version, "default", version)
    assert labelled(server, "seldon_api_model_feedback_total")[model] == 3, "a reward of 0 counts"
    assert labelled(server, "seldon_api_model_feedback_reward_total")[model] == 2
    client = labelled(server, "seldon_api_executor_client_requests_seconds_count")
    assert client["200", "linear", "post", *model[1:], "/predict"] == 1


def test_the_names_of_open_inference_servers(server):
    version = server.get("/v2/models/linear").json["versions"][0]
    server.post("/v2/models/linear/infer", {"inputs": [[1, 2, 3]]})
    server.post("/v2/models/linear/infer", {"inputs": []})
    assert labelled(server, "model_infer_request_success_total") == {("linear", version): 1}
    assert labelled(server, "model_infer_request_failure_total") == {("linear", version): 1}
    assert labelled(server, "model_infer_request_duration_count") == {("linear", version): 2}


def test_workers_of_one_function_are_summed_up(server, model_files):
    models = {name: str(path) for name, path in model_files.items()}
    other = NuclioFunction.start(ServingSettings(models, project="shop"), server.settings, "1")
    for answer in (server.function.gateway.answer, other.gateway.answer):
        answer(HttpRequest("POST", "/linear/predict", {}, b'{"instances": [[1, 2, 3]]}'))
    assert samples(server)["leeway_requests_total", "", "200", "infer", "linear", "linear"] == 2
    other.close()
    assert samples(server)["leeway_requests_total", "", "200", "infer", "linear", "linear"] == 2, "sums never fall"


def test_each_arm_has_requests_and_durations_of_its_own(split):
    for arm in ("main", "canary", "canary"):
        split.post("/d/predict", {"instances": [[1]]}, {"x-leeway-predictor": arm})
    # labels in the order of their names: arm, deployment, model, operation, status
    series = {arm: (arm, "d", "linear", "infer", "200") for arm in ("main", "canary")}
    counted = labelled(split, "leeway_requests_total")
    timed = labelled(split, "leeway_request_duration_seconds_count")
    for found in (counted, timed):
        assert {arm: found[key] for arm, key in series.items()} == {"main": 1, "canary": 2}


def test_requests_in_flight_are_those_of_all_living_workers(split):
    other = Metrics(list, None, split.settings.home / "metrics" / "shop/model-server")
    other.in_flight["d"][0] = 1.0
    split.linear.held, split.linear.entered = threading.Event(), threading.Event()
    asked = threading.Thread(target=split.post, args=("/d/predict", {"instances": [[1]]}))
    asked.start()
    assert split.linear.entered.wait(60)
    assert labelled(split, "leeway_requests_in_flight") == {("d",): 2}
    split.linear.held.set()
    asked.join()
    assert labelled(split, "leeway_requests_in_flight") == {("d",): 1}
    other.counts.close()  # as when it is killed: its file stays, and nobody holds it
    assert labelled(split, "leeway_requests_in_flight") == {("d",): 0}
    heir = Metrics(list, None, split.settings.home / "metrics" / "shop/model-server")
    assert labelled(split, "leeway_requests_in_flight") == {("d",): 0}
    heir.close()


def test_a_request_that_fails_is_not_in_flight_any_more(server):
    next(iter(server.function.gateway._plane._served.values())).loaded.model.predict = None
    for path in ("/linear/predict", "/linear/feedback"):
        server.post(path, {"instances": [[1, 2, 3]]})
    assert set(labelled(server, "leeway_requests_in_flight").values()) == {0}


def test_drops_go_on_where_the_last_worker_ended(server):
    metrics = server.function._metrics
    metrics._tell_dropped("linear", "full", 3)
    metrics._tell_dropped("linear", "full", 4)
    assert samples(server)["leeway_records_dropped_total", "full", "linear"] == 4
    metrics._dropped_before.clear()  # as a worker does that takes over the file
    metrics._tell_dropped("linear", "full", 2)
    assert samples(server)["leeway_records_dropped_total", "full", "linear"] == 6
