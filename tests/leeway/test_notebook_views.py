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


def test_a_table_names_its_columns():
    assert "<tr><th>x</th></tr>" in html_table("t", [(1,)], ("x",))


def test_progress_is_shown_in_a_kernel_and_nowhere_else():
    show_in_notebook()
    assert not [each for each in logging.getLogger(LOGGER_NAME).handlers if isinstance(each, Cell)]
    program = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "class ZMQInteractiveShell(InteractiveShell): pass\n"
        "ZMQInteractiveShell.instance()\n"
        "from leeway.progress import tell\nfrom leeway.progress_view import show_in_notebook\n"
        "show_in_notebook(); show_in_notebook()\n"
        "from IPython.utils.capture import capture_output\n"
        "with capture_output() as shown:\n    tell('replay', 0, 10)\n"
        "(one,) = shown.outputs\nprint(one.data['text/html'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "replay 0 of 10" in done.stdout and "<progress" in done.stdout, done.stderr
