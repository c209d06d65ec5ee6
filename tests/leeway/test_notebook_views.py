"""What a notebook shows of our values, and of progress."""

import logging
import subprocess
import sys

import msgspec

from leeway.html_table import html_table
from leeway.profile import NUMERIC, FeatureProfile, Profile
from leeway.progress import LOGGER_NAME
from leeway.progress_view import Cell, show_in_notebook
from leeway.record import Incident, Position, RowReference, Verdict
from monitoring.reconciliation import Reconciliation
from serving.graph.deployment import Deployment, Node, Predictor

VERDICT = Verdict(
    id="v", endpoint="p/f/d/default/d/v1", detector="data_drift", kind="data_drift", status=2, at=Position(0, 9),
    appended=1, rows=1000, statistic=3.0, threshold=1.0,
    first=RowReference(Position(0, 0), "<r0>", 0), last=RowReference(Position(0, 9), "r9", 0),
)  # fmt: skip


def test_an_incident_says_what_moved_and_where_and_escapes_what_clients_sent():
    incident = Incident(
        id="i", endpoint=VERDICT.endpoint, detector="data_drift", kind="data_drift", state="open", opened=VERDICT,
        features=["price", "demand"],
    )  # fmt: skip
    html = incident._repr_html_()
    assert "price, demand" in html and "1,000, from &lt;r0&gt; to r9" in html and "<r0>" not in html
    assert "set by a person" in msgspec.structs.replace(incident, note="set by a person")._repr_html_()


def test_a_reference_and_a_reconciliation_are_tables():
    feature = FeatureProfile(name="a", kind=NUMERIC, rows=10, missing=1, low=0.0, high=2.5)
    html = Profile(task="classification", rows=10, window_rows=5, features=[feature])._repr_html_()
    assert "<td>a</td><td>numeric</td><td>10.0%</td><td>0 to 2.5</td>" in html
    assert "not known" in html
    found = Reconciliation({"prediction": 1200}, {"prediction": 1199}, {}, 0)._repr_html_()
    assert "<td>prediction</td><td>1,200</td><td>1,199</td>" in found


def test_a_deployment_is_a_table_of_its_predictors():
    split = Node("router", "ROUTER", children=(Node("a"), Node("<b>")))
    predictors = Predictor("main", split, 90), Predictor("next", Node("c"), 10, is_shadow=True)
    html = Deployment("market", predictors)._repr_html_()
    assert "<caption>market</caption>" in html and "<td>main</td><td>90 %</td>" in html
    assert "router (ROUTER), a (MODEL), &lt;b&gt; (MODEL)" in html and "<td>10 %, shadow</td>" in html


def test_a_table_names_its_columns():
    assert "<tr><th>x</th></tr>" in html_table("t", [(1,)], ("x",))


def test_progress_is_shown_in_a_kernel_and_nowhere_else():
    show_in_notebook()
    assert not [each for each in logging.getLogger(LOGGER_NAME).handlers if isinstance(each, Cell)]
    program = (
        "from leeway.progress import Steps, tell\nfrom leeway.progress_view import show_in_notebook\n"
        "show_in_notebook(); show_in_notebook()\n"
        "with capture_output() as shown, Steps().step('replay'):\n"
        "    [tell('replay', done, 10) for done in (0, 10, 10)]\n"
        "shell.execution_count += 1\n"
        "with capture_output() as again: tell('replay', 10, 10)\n"
        "for each in shown.outputs + again.outputs: print(each.update, each.data['text/html'])"
    )
    bar = "<progress value='{}' max='10'></progress> replay {} of 10"
    said = [f"False {bar.format(0, 0)}", *[f"True {bar.format(10, 10)}"] * 2, f"False {bar.format(10, 10)}"]
    assert kernel(program).splitlines() == said


def kernel(program):
    """What a program prints that runs as the cells of a notebook do; nothing of it goes to stderr."""
    begin = (
        "from IPython.core.interactiveshell import InteractiveShell\nfrom IPython.utils.capture import capture_output\n"
        "class ZMQInteractiveShell(InteractiveShell): pass\n"
        "shell = ZMQInteractiveShell.instance()\n"
    )
    done = subprocess.run([sys.executable, "-c", begin + program], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_deployed_function_is_a_table_in_a_kernel():
    program = (
        "from mlrun import new_function\n"
        "from mlrun.projects.operations import DeployStatus\n"
        "from leeway.local.deployment_view import show_deployments_in_notebook\n"
        "show_deployments_in_notebook()\n"
        "function = new_function('serving', kind='nuclio', project='p')\n"
        "function.set_envs({'SERVING_MODEL_elec': 'x.pkl', 'SERVING_MODEL_HASH_elec': '1'})\n"
        "function.set_env('INFERENCE_STREAM', 'u/<s>')\n"
        "function.status.address = '127.0.0.1:1'\n"
        "print(shell.display_formatter.formatters['text/html'](DeployStatus('ready', {}, function)))"
    )
    html = kernel(program).splitlines()[-1]
    assert "<caption>serving: ready</caption>" in html and "<td>http://127.0.0.1:1</td>" in html
    assert "<td>elec: POST /elec/predict</td>" in html and "HASH" not in html
    assert "<td>u/&lt;s&gt;</td>" in html
