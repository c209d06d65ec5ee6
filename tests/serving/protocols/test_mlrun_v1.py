import pytest


def test_predict_answers_one_prediction_per_row(server, estimators):
    rows = [[0.1, 0.2, 0.3], [0.9, 0.2, 0.3]]
    answer = server.post("/logistic/predict", {"instances": rows})
    assert answer.status == 200
    assert answer.json["predictions"] == estimators["logistic"].predict(rows).tolist()
    assert answer.json["model_name"] == "logistic"
    assert answer.json["id"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize("path", ["/logistic/predict/", "logistic/predict"])
def test_slashes_at_the_ends_say_nothing(server, path):
    assert server.post(path, {"instances": [[1, 2, 3]]}).status == 200


def test_feedback_answers_whose_it_was(server):
    answer = server.post("/logistic/feedback", {"id": "r1", "truth": [1]})
    assert (answer.status, answer.json) == (200, {"id": "r1"})


def test_inputs_are_named_as_the_other_protocols(server):
    answer = server.post("/logistic/predict", {"inputs": [[1, 2, 3]]})
    assert answer.status == 400
    assert "`instances`" in answer.json["error"] and "other protocol" in answer.json["error"]


def test_a_built_in_model_explains_nothing(server):
    answer = server.post("/logistic/explain", {"instances": [[1, 2, 3]]})
    assert answer.status == 501
    assert "MODEL_CLASS" in answer.json["error"]
