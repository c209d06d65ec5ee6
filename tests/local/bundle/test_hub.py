"""What `make hub` writes can be imported by MLRun, and is the same each time."""

import json
import os
import shutil
from pathlib import Path

import pytest
import yaml

from leeway.errors import BundleError
from leeway.local.hub import build_hub

pytestmark = pytest.mark.usefixtures("clean_process")

ITEM = {"name": "demo", "version": "1.2.3", "description": "A demo", "categories": ["utils"]}
JOB = "def train(context, rows: int = 5):\n    '''Fit.\n\n    :param rows: how many\n    '''\n    return helper(rows)\n"
FILES = {
    "pyproject.toml": '[project]\nversion = "1.2.3"\n',
    "serving/__init__.py": "",
    "serving/deep.py": "def helper(rows):\n    return rows * 2\n",
    "functions/demo/demo.py": f"from serving.deep import helper\n\n{JOB}",
}
SPEC = {"filename": "demo.py", "handler": "train", "image": "mlrun/mlrun", "kind": "job"}


def item(**changes):
    return yaml.safe_dump({**ITEM, "spec": {**SPEC, **changes}})


def function_yaml(root):
    return root / "hub/functions/master/demo/latest/src/function.yaml"


@pytest.fixture
def checkout(tree):
    def make(**spec):
        return tree({**FILES, "functions/demo/item.yaml": item(**spec)})

    return make


def test_a_job_from_the_hub_runs_in_mlrun_with_everything_it_imports(checkout):
    import mlrun

    root = checkout()
    build_hub(root)
    function = mlrun.import_function(str(function_yaml(root)))
    assert (function.kind, function.metadata.name, function.spec.default_handler) == ("job", "demo", "train")
    assert function.spec.entry_points["train"]["parameters"][1] == {
        "name": "rows",
        "type": "int",
        "default": 5,
        "doc": "how many",
    }
    assert mlrun.function_to_module(function).train(None, rows=21) == 42


def test_a_nuclio_function_keeps_its_annotations_triggers_and_requirements(checkout):
    import mlrun

    trigger = {"every": {"kind": "cron", "attributes": {"interval": "1m"}}}
    custom = {"annotations": {"leeway/stream-from": "INFERENCE_STREAM"}, "triggers": trigger}
    root = checkout(kind="nuclio", requirements=["orjson"], customFields=custom)
    build_hub(root)
    function = mlrun.import_function(str(function_yaml(root)))
    assert (function.kind, function.spec.function_handler) == ("remote", "demo:train")
    assert function.spec.base_spec["metadata"]["annotations"] == {"leeway/stream-from": "INFERENCE_STREAM"}
    assert function.spec.base_spec["spec"]["triggers"] == trigger
    assert function.spec.build.requirements == ["orjson"]
    assert mlrun.function_to_module(function).train(None, rows=1) == 2


def test_two_builds_are_byte_identical_and_the_link_in_functions_leads_there(checkout):
    root = checkout()
    build_hub(root)
    first = {path: path.read_bytes() for path in (root / "hub").rglob("*") if path.is_file()}
    (root / "serving/deep.py").touch()
    shutil.rmtree(root / "hub")
    build_hub(root)
    assert {path: path.read_bytes() for path in (root / "hub").rglob("*") if path.is_file()} == first
    assert first[function_yaml(root)] == (root / "functions/demo/function.yaml").read_bytes()
    link = (root / "functions/demo/function.yaml").readlink()
    assert not link.is_absolute()


def test_the_catalog_and_the_version_as_mlruns_service_reads_them(checkout):
    from mlrun.common.schemas import HubSource

    root = checkout()
    build_hub(root)
    spec = {"path": str(root / "hub"), "channel": "master"}
    source = HubSource(metadata={"name": "near"}, spec=spec)
    catalog = json.loads(Path(source.get_catalog_uri("functions")).read_text())
    assert sorted(catalog["demo"]) == ["1.2.3", "latest"]
    for tag, item in catalog["demo"].items():
        function = Path(source.get_full_uri(f"demo/{tag}/{item['assets']['function']}", "functions"))
        assert function.read_bytes() == function_yaml(root).read_bytes()
        assert (item["description"], item["spec"]["kind"]) == ("A demo", "job")


def test_a_serving_graph_takes_models_and_names_its_router(checkout, tree):
    import mlrun

    root = checkout(kind="serving", handler="Router")
    tree({"functions/demo/demo.py": "class Router:\n    pass\n"})
    build_hub(root)
    function = mlrun.import_function(str(function_yaml(root)))
    function.add_model("m", model_path="m.pkl")
    assert (function.kind, function.spec.graph.class_name) == ("serving", "Router")
    assert function.spec.graph.routes["m"].class_name == "ClassifierModel"


def test_a_function_that_is_gone_leaves_the_hub(checkout):
    root = checkout()
    build_hub(root)
    (root / "hub/functions/master/old").mkdir()
    (root / "hub/functions/master/demo/1.0.0/src").mkdir(parents=True)
    build_hub(root)
    assert sorted(path.name for path in (root / "hub/functions/master").iterdir()) == ["catalog.json", "demo"]
    assert sorted(path.name for path in (root / "hub/functions/master/demo").iterdir()) == ["1.2.3", "latest"]


def test_code_over_the_limit_of_its_kind_is_refused(checkout, tree):
    root = checkout()
    noise = os.urandom(80 * 1024).hex()
    tree({"serving/deep.py": f"def helper(rows):\n    return '{noise}'\n"})
    with pytest.raises(BundleError, match=r"demo: its code takes \d+ KiB, a job may take 96"):
        build_hub(root)
    tree({"functions/demo/item.yaml": item(kind="nuclio")})
    build_hub(root)


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"kind": "spark"}, "spec.kind is 'spark'; it can be job, nuclio, serving"),
        ({"handler": None}, "handler is None; expected text"),
        ({"handler": "gone"}, "demo.py defines no function 'gone'"),
        ({"filename": "other.py"}, "spec.filename is 'other.py', which is not in"),
        ({"customFields": {"trigers": {}}}, r"customFields has \['trigers'\]; known are"),
    ],
)
def test_an_item_that_is_wrong_says_where(checkout, changes, reason):
    with pytest.raises(BundleError, match=reason):
        build_hub(checkout(**changes))


def test_a_default_that_is_an_expression_is_refused(checkout, tree):
    root = checkout()
    tree({"functions/demo/demo.py": "def train(context, share=1 / 3):\n    pass\n"})
    with pytest.raises(BundleError, match="demo: the default of 'share' is an expression; give its value"):
        build_hub(root)


def test_a_folder_that_is_no_checkout_is_refused(tree):
    with pytest.raises(BundleError, match=r"holds no item\.yaml"):
        build_hub(tree({"pyproject.toml": '[project]\nversion = "1"\n'}))
