"""What may be imported where."""

import ast
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIGHT = ("serving/", "monitoring/", "leeway/")
OF_MLRUN = ("mlrun", "nuclio")
# The laptop and what stands on it deal with MLRun; the rest runs in workers that start in a fraction of a second.
MEETS_MLRUN = ("leeway/local/", "leeway/commands/", "leeway/demo.py")
VENDORS = {
    "aiokafka", "boto3", "confluent_kafka", "kafka", "lightgbm", "mlflow", "onnx", "onnxruntime", "opentelemetry",
    "psycopg", "redis", "s3fs", "skl2onnx", "treelite", "v3io", "v3io_frames", "xgboost",
}  # fmt: skip


def test_workers_import_no_mlrun_where_a_module_is_loaded(packages, imports):
    found = [
        f"{source.path}:{line} {name}"
        for source in packages
        if not source.path.startswith(MEETS_MLRUN)
        for name, line, at_import in imports(source.tree)
        if at_import and name.partition(".")[0] in OF_MLRUN
    ]
    assert found == []


def test_loading_all_of_the_request_and_record_path_loads_no_mlrun(packages):
    modules = [
        source.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for source in packages
        if not source.path.startswith(MEETS_MLRUN) and "__main__" not in source.path
    ]
    program = (
        f"import importlib, sys\nfor name in {modules!r}: importlib.import_module(name)\n"
        f"print([name for name in {OF_MLRUN!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_each_vendors_client_is_imported_by_one_module(product, imports):
    found = defaultdict(set)
    for source in product:
        for name, _, _ in imports(source.tree):
            if name.partition(".")[0] in VENDORS:
                found[name.partition(".")[0]].add(source.path)
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}


def test_our_own_modules_are_never_imported_by_an_absolute_string(product):
    """In a bundle such a string would find an installed leeway, or nothing."""
    found = []
    for source in product:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in (
                "import_module", "__import__",
            ):  # fmt: skip
                name = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else ""
                if name.partition(".")[0] in ("leeway", "serving", "monitoring", "functions"):
                    found.append(f"{source.path}:{node.lineno} {name}")
    assert found == []


def test_nobody_imports_the_functions(packages, imports):
    found = [source.path for source in packages for name, _, _ in imports(source.tree) if name.startswith("functions")]
    assert found == []


def test_own_classes_are_never_pickled(product, imports):
    """The name under which a bundle knows a class means nothing elsewhere; models are the users' and are, and what goes
    to a fork of the same process, where the name means the same."""
    allowed = {"functions/train/train.py", "serving/graph/apart.py"}
    found = {source.path for source in product for name, _, _ in imports(source.tree) if name in ("pickle", "dill")}
    assert {path for path in found - allowed if not path.startswith("serving/models/")} == set()
