"""SeldonClient 1.17.1 against a running endpoint: `seldon_client.py <address> <address of a class that explains>`."""

import sys

import numpy as np
from seldon_core.seldon_client import SeldonClient

LINEAR, OWN = sys.argv[1:3]
ROWS = np.array([[1.0, 2.0], [0.0, 1.0]])
PLAIN = SeldonClient(gateway="seldon", transport="rest", gateway_endpoint=LINEAR)
ISTIO = SeldonClient(gateway="istio", transport="rest", namespace="ns", deployment_name="m", gateway_endpoint=LINEAR)


def check_plain_paths():
    said = PLAIN.predict(data=ROWS, payload_type="ndarray", names=["a", "b"], meta={"k": "v"})
    assert said.success, said.msg
    assert said.response["data"]["ndarray"] == [1, 0]
    assert said.response["meta"]["puid"] and said.response["meta"]["tags"] == {"k": "v"}
    told = PLAIN.feedback(prediction_request=said.request, prediction_response=None, reward=1.0)
    assert told.success, told.msg


def check_the_reply_is_of_the_requests_kind():
    for kind in ("ndarray", "tensor"):
        said = ISTIO.predict(data=ROWS, payload_type=kind)
        assert said.success, said.msg
        assert kind in said.response["data"], said.response


def check_feedback_with_truth():
    said = ISTIO.predict(raw_data={"data": {"ndarray": [[1, 2]]}, "meta": {"puid": "zz"}})
    assert said.success and said.response["meta"]["puid"] == "zz"
    assert said.response["meta"]["routing"] == {"m": -1}
    whole = {"request": {"data": {"ndarray": [[1, 2]]}}, "response": said.response, "reward": 1.0}
    told = ISTIO.feedback(raw_request={**whole, "truth": {"data": {"ndarray": [1]}}})
    assert told.success and told.response["meta"]["puid"] == "zz", told


def check_ambassador_without_a_prefix():
    client = SeldonClient(gateway="ambassador", transport="rest", deployment_name="m", gateway_endpoint=LINEAR)
    assert client.predict(data=ROWS, gateway_prefix="").success
    assert client.predict(data=ROWS, namespace="ns").success


def check_a_models_own_container():
    client = SeldonClient(microservice_endpoint=LINEAR)
    said = client.microservice(data=ROWS, method="predict")
    assert said.success, said.msg
    assert client.microservice_feedback(said.request, None, reward=0.5).success


def check_proto():
    client = SeldonClient(gateway="seldon", gateway_endpoint=LINEAR, client_return_type="proto")
    said = client.predict(data=ROWS)
    assert said.success and list(said.response.data.tensor.values) == [1.0, 0.0], said
    assert said.response.meta.puid


def check_explain():
    own = SeldonClient(gateway="istio", transport="rest", namespace="ns", deployment_name="m", gateway_endpoint=OWN)
    said = own.explain(predictor="default", data=ROWS[:1])
    assert said.response["jsonData"] == {"values": [1.0, 2.0]}, said.response


def check_what_does_not_explain_says_so():
    said = ISTIO.explain(predictor="default", data=ROWS)
    answer = said.response
    assert not said.success and answer.status_code == 501
    assert "does not explain" in answer.json()["status"]["info"], answer.text


def check_text_json_and_bytes_reach_a_model_that_refuses_them():
    for given in ({"str_data": "hi"}, {"json_data": {"a": 1}}, {"bin_data": b"\0\1"}):
        said = ISTIO.predict(**given)
        assert not said.success and "400" in said.msg, said


for name, check in list(globals().items()):
    if name.startswith("check_"):
        check()
        print(name)
