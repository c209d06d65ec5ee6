import pytest

from leeway.errors import SettingError
from serving.graph.environment import deployments_of
from serving.settings import ServingSettings


def test_the_hubs_names_are_read():
    found = ServingSettings.read(
        {
            "SERVING_MODEL_elec": "models/elec",
            "SERVING_MODEL_a_b": "store://models/p/a_b",
            "SERVING_MODEL_HASH_elec": "f" * 64,
            "MODEL_CLASS": "mine.Model",
            "SERVING_PARAMS": '{"threshold": 0.5}',
            "INFERENCE_STREAM": "users/admin/elec",
            "INFERENCE_STREAM_SAMPLE": "10",
            "INFERENCE_STREAM_BATCH": "50",
            "MLRUN_DEFAULT_PROJECT": "shop",
            "NUCLIO_FUNCTION_NAME": "shop-model-server",
            "NUCLIO_HANDLER": "main:handler",
        }
    )
    assert found.models == {"a_b": "store://models/p/a_b", "elec": "models/elec"}
    assert found.hashes == {"elec": "f" * 64}
    assert (found.model_class, found.parameters) == ("mine.Model", {"threshold": 0.5})
    assert (found.stream, found.sample, found.batch) == ("users/admin/elec", 10, 50)
    assert (found.function_uri, found.handler) == ("shop/model-server", "main:handler")


def test_a_deployment_for_each_model():
    serving = ServingSettings(models={"m": "a.pkl"}, hashes={"m": "ff"}, model_class="C", parameters={"k": 1})
    (deployment,) = deployments_of(serving)
    (predictor,) = deployment.predictors
    assert (deployment.name, predictor.name, predictor.weight) == ("m", "default", 100)
    node = predictor.graph
    assert (node.name, node.uri, node.sha256, node.class_name, node.parameters) == ("m", "a.pkl", "ff", "C", {"k": 1})


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({}, "no model is named"),
        ({"SERVING_MODEL_": "x"}, "no model is named"),
        ({"SERVING_MODEL_HASH_x": "ff", "SERVING_MODEL_y": "a"}, "SERVING_MODEL_HASH_x is set"),
        ({"SERVING_MODEL_y": "a", "INFERENCE_STREAM_SAMPLE": "0"}, "INFERENCE_STREAM_SAMPLE='0'"),
        ({"SERVING_MODEL_y": "a", "INFERENCE_STREAM_BATCH": "many"}, "INFERENCE_STREAM_BATCH='many'"),
        ({"SERVING_MODEL_y": "a", "SERVING_PARAMS": "{"}, "is no JSON"),
        ({"SERVING_MODEL_y": "a", "SERVING_PARAMS": "[1]"}, "expected a JSON object"),
    ],
)
def test_what_cannot_be_is_refused_by_name(environ, says):
    with pytest.raises(SettingError, match=says):
        ServingSettings.read(environ)
