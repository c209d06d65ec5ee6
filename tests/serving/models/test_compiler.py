"""A worker serves at once, and goes over to the compiled model when it is there."""

import queue
import subprocess
import sys
import threading

import pytest

from leeway.model_hash import model_hash
from serving.models.compile_cache import CompileCache, Verdict, write_verdict
from serving.models.compile_order import CompileOrder
from serving.models.compiled import Compiled
from serving.models.compiler import Compiler
from serving.models.engine import NATIVE, ONNX_RUNTIME, Engine

ROW = [0.2, 0.3, 0.4]
PATIENCE_S = 240


def order(file, home, **fields):
    given = {"file": str(file), "sha256": model_hash(file), "form": "pickled", "home": str(home)}
    return CompileOrder(**{**given, **fields})


def compiled():
    """Wait until nobody compiles any more."""
    for thread in threading.enumerate():
        if thread.name == "leeway-compiler":
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def about(server, name):
    return server.get(f"/v2/models/{name}").json


@pytest.mark.slow
def test_it_serves_natively_and_goes_over_while_it_serves(start, model_files):
    names = ["boosted", "forest", "logistic"]
    server = start({name: model_files[name] for name in names}, {"compile_after_s": 0.0})
    before = {name: about(server, name) for name in names}
    assert {name: (said["engine"], said["engine_reason"]) for name, said in before.items()} == dict.fromkeys(
        names, (NATIVE, "its compiled form is not there yet")
    )
    answers = {name: server.post(f"/v2/models/{name}/infer", {"inputs": [ROW]}).json["outputs"] for name in names}
    compiled()
    after = {name: about(server, name) for name in names}
    assert {name: said["engine"] for name, said in after.items()} == dict.fromkeys(names, ONNX_RUNTIME)
    for name in names:
        assert after[name]["model_endpoint_uid"] == before[name]["model_endpoint_uid"]
        assert server.post(f"/v2/models/{name}/infer", {"inputs": [ROW]}).json["outputs"] == answers[name]
    metrics = server.get("/metrics").raw.decode()
    assert (
        'leeway_model_engine{deployment="boosted",engine="onnxruntime",reason="says what the native model says'
        in metrics
    )
    assert len(server.records()) == 2 * len(names)


SECOND = """
import sys
from pathlib import Path
from leeway.settings import Settings
from serving.nuclio_function import NuclioFunction
from serving.settings import ServingSettings
from serving.types import HttpRequest
serving = ServingSettings(models={"m": sys.argv[1]})
function = NuclioFunction.start(serving, Settings(home=Path(sys.argv[2])), "0")
answer = function.gateway.answer(HttpRequest("POST", "/m/predict", {}, b'{"instances": [[0.2, 0.3, 0.4]]}'))
assert answer.status == 200, answer
print(sorted({"sklearn", "pandas", "skl2onnx", "joblib"} & set(sys.modules)), answer.body)
function.close()
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["boosted", "forest", "linear"])
def test_the_next_worker_takes_it_from_the_cache_without_scikit_learn(name, model_files, tmp_path):
    told = queue.Queue()
    home = tmp_path / "home"
    asked = order(model_files[name], home)
    Compiler(lambda *what: told.put(what), 0.0).start([asked])
    said, model, engine = told.get(timeout=PATIENCE_S)
    assert (said, type(model)) == (asked, Compiled) and engine.name != NATIVE
    command = [sys.executable, "-c", SECOND, str(model_files[name]), str(home)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.stdout.startswith("[] "), done.stdout + done.stderr


@pytest.mark.slow
def test_of_two_workers_one_compiles(model_files, tmp_path):
    told, home = queue.Queue(), tmp_path / "home"
    asked = order(model_files["logistic"], home)
    compilers = [Compiler(lambda *what: told.put(what), 0.0) for _ in range(2)]
    for each in compilers:
        each.start([asked])
    found = [told.get(timeout=PATIENCE_S) for _ in compilers]
    assert [type(model) for _, model, _ in found] == [Compiled, Compiled]
    (entry,) = (home / "models/compiled").iterdir()
    assert entry == CompileCache(home).folder(asked.sha256)
    assert sum(each._child is not None for each in compilers) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "says"),
    [({"sha256": "0" * 64}, "was changed after it was loaded"), ({"form": "unknown"}, "KeyError: 'unknown'")],
)
def test_a_compile_that_fails_is_told_and_tried_again_by_the_next_worker(change, says, model_files, tmp_path):
    told = queue.Queue()
    made = order(model_files["logistic"], tmp_path, **change)
    Compiler(lambda *what: told.put(what), 0.0).start([made])
    _, model, engine = told.get(timeout=PATIENCE_S)
    assert model is None and engine.name == NATIVE and says in engine.reason
    assert CompileCache(tmp_path).load(made.sha256) == (None, None)


def test_what_waits_is_given_up_when_the_worker_ends(model_files, tmp_path):
    told = []
    compiler = Compiler(lambda *what: told.append(what), 3600.0)
    compiler.start([order(model_files["logistic"], tmp_path)])
    compiler.close()
    compiled()
    assert told == [] and compiler._child is None


@pytest.mark.slow
def test_what_is_under_way_is_given_up_when_the_worker_ends(model_files, tmp_path):
    told = queue.Queue()
    compiler = Compiler(lambda *what: told.put(what), 0.0)
    (tmp_path / "models").mkdir()
    compiler.start([order(model_files["logistic"], tmp_path)])
    while compiler._child is None:
        pass
    compiler.close()
    assert told.get(timeout=PATIENCE_S)[1] is None
    assert compiler._child.returncode is not None
    assert CompileCache(tmp_path).load(model_hash(model_files["logistic"])) == (None, None)


def test_it_can_be_turned_off(start, model_files):
    server = start({"m": model_files["logistic"]}, {"compile_after_s": 0.0}, parameters={"compile": False})
    compiled()
    said = about(server, "m")
    assert (said["engine"], said["engine_reason"]) == (NATIVE, "SERVING_PARAMS turns compiling off")


def test_without_its_packages_the_reason_names_them(start, model_files, monkeypatch):
    monkeypatch.setattr("serving.models.built_in.find_spec", lambda name: None if name != "skl2onnx" else "there")
    said = about(start({"m": model_files["logistic"]}), "m")
    assert said["engine_reason"] == "not compiled: onnxruntime is not installed (pip install onnxruntime treelite)"


def test_a_class_of_the_users_is_never_compiled(start, model_files, tmp_path, monkeypatch):
    (tmp_path / "theirs_of_compiler.py").write_text("class Model:\n    def predict(self, rows):\n        return rows\n")
    monkeypatch.syspath_prepend(tmp_path)
    server = start({"m": model_files["logistic"]}, {"compile_after_s": 0.0}, model_class="theirs_of_compiler.Model")
    compiled()
    assert about(server, "m")["engine_reason"] == "it is a class of your own"


def test_a_verdict_that_is_native_is_not_tried_again(start, model_files, tmp_path):
    sha256 = model_hash(model_files["logistic"])
    server = start({"m": model_files["logistic"]})
    cache = CompileCache(server.settings.home)
    with cache.entry(sha256) as folder:
        write_verdict(folder, Verdict(reason="it says something else"))
    assert cache.load(sha256) == (None, Engine(NATIVE, "it says something else"))
