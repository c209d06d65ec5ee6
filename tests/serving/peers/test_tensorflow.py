"""Models that TensorFlow itself saved, in its own environment, under the guide's names for its servers."""

import http.client
import json
from pathlib import Path

import pytest
import yaml

from leeway.local import platform
from leeway.settings import Settings

from .conftest import PEERS, ROOT, deploy

pytestmark = pytest.mark.slow

ROWS = [[0.1, 0.2, 0.3], [1.0, 0.0, -1.0]]
# What each function of the hub is given, and whose answers it has to repeat.
SERVED = {"tf1_serving": "old", "tf2_serving": "dense", "model_server": "dense.h5"}
SAVE = f"""
import json
import tensorflow as tf

rows = {ROWS}
layers = tf.keras.layers
dense = tf.keras.Sequential([tf.keras.Input((3,)), layers.Dense(4, "relu"), layers.Dense(2, "softmax")])
dense.export("dense", verbose=False)
dense.save("dense.h5")
said = dense.predict(tf.constant(rows), verbose=0).tolist()

with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    x = tf.compat.v1.placeholder(tf.float32, [None, 3], "x")
    weights = tf.compat.v1.get_variable("weights", initializer=tf.constant([[0.5], [-1.0], [2.0]]), use_resource=False)
    y = tf.matmul(x, weights)
    session.run(tf.compat.v1.global_variables_initializer())
    tf.compat.v1.saved_model.simple_save(session, "old", {{"x": x}}, {{"y": y}})
    old = session.run(y, {{x: rows}})[:, 0].tolist()
print(json.dumps({{"old": old, "dense": said, "dense.h5": said}}))
"""


@pytest.fixture(scope="module")
def saved(peer, tmp_path_factory):
    """(folder with TensorFlow's models, {model: what TensorFlow says of ROWS})"""
    folder = tmp_path_factory.mktemp("tensorflow")
    done = peer("tensorflow").run("python", "-c", f"import os; os.chdir({str(folder)!r})\n{SAVE}")
    assert done.returncode == 0, done.stderr[-3000:]
    return folder, json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def settings(tmp_path):
    """Of a laptop whose home has the environment that converts."""
    settings = Settings(home=tmp_path / "home")
    settings.home.mkdir()
    (settings.home / "tensorflow").symlink_to(PEERS / "tensorflow")
    yield settings
    platform.down(settings)


def code_of(name):
    function = ROOT / f"functions/{name}/function.yaml"
    return yaml.safe_load(function.read_text())["spec"]["base_spec"]["spec"]["build"]["functionSourceCode"]


def ask(address, method, path, body=None):
    connection = http.client.HTTPConnection(address, timeout=30)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        said = json.loads(answer.read())
        assert answer.status == 200, said
        return said
    finally:
        connection.close()


def test_they_are_converted_once_and_answer_as_tensorflow_does(saved, settings):
    folder, expected = saved
    dashboard = platform.ensure(settings).removeprefix("http://")
    for name, model in SERVED.items():
        env = {"SERVING_MODEL_m": str(folder / model)}
        address = deploy(dashboard, f"peers-{name.replace('_', '-')}", code_of(name), env)
        assert ask(address, "GET", "/v2/models/m")["engine"] == "onnxruntime"
        said = ask(address, "POST", "/v1/models/m:predict", {"instances": ROWS})["predictions"]
        assert said == [pytest.approx(each, abs=1e-5) for each in expected[model]]
    converted = {path: path.stat().st_mtime_ns for path in _converted(settings.home)}
    assert len(converted) == len(SERVED)
    deploy(dashboard, "peers-again", code_of("tf2_serving"), {"SERVING_MODEL_m": str(folder / "dense")})
    assert {path: path.stat().st_mtime_ns for path in _converted(settings.home)} == converted


def _converted(home: Path):
    return sorted((home / "models/from_tensorflow").iterdir())
