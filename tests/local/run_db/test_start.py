"""`leeway.start()`, in processes of their own."""

import http.server
import json
import threading

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def service():
    """The URL of something that answers as an MLRun service does when its client connects; and what was asked."""
    asked = []

    class Service(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            body = json.dumps({"version": "1.12.1", "namespace": "mlrun"}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


SERVICE = """
import os, sys
import leeway
print("start", leeway.start())
import mlrun
print("db", type(mlrun.get_run_db()).__name__)
print("ours", sorted(name for name in sys.modules if name.startswith("leeway.local.run_db.")))
print("wrapped", hasattr(mlrun.db.factory.RunDBFactory.create_run_db, "__wrapped__"))
print("set", [name for name in ("LEEWAY_LAPTOP", "MLRUN_ARTIFACT_PATH") if name in os.environ])
"""


def test_nothing_is_changed_where_a_service_is_configured(script, service, home):
    url, asked = service
    out = script(SERVICE, MLRUN_DBPATH=url)
    assert f"start {url}\ndb HTTPRunDB\nours ['leeway.local.run_db.hook']\nwrapped False\nset []" in out
    assert asked == ["/api/v1/client-spec"]
    assert not home.exists()


THREADS = """
import concurrent.futures, leeway, mlrun
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    print(set(pool.map(lambda _: leeway.start(), range(16))), leeway.start())
    print("databases", len({id(db) for db in pool.map(lambda _: mlrun.get_run_db(), range(16))}))
mlrun.set_environment(artifact_path="./mine")
print("interval", mlrun.mlconf.httpdb.logs.nuclio.pull_deploy_status_default_interval, mlrun.get_run_db().kind)
"""


def test_it_can_be_called_again_and_by_many_at_once_and_outlives_set_environment(script):
    out = script(THREADS)
    assert "{'laptop'} laptop" in out
    assert "databases 1" in out
    assert "interval 0 laptop" in out


SET = (
    "import leeway, os; leeway.start(); import mlrun; print(mlrun.mlconf.artifact_path, os.environ['MLRUN_LOG_LEVEL'])"
)


def test_what_the_user_set_stays(script):
    assert "/my/place ERROR" in script(SET, MLRUN_ARTIFACT_PATH="/my/place", MLRUN_LOG_LEVEL="ERROR")


EARLY = """
import mlrun, leeway
function = mlrun.new_function("early", project="p", kind="nuclio", image="x")
mlrun.get_run_db()
function.save()
leeway.start()
try:
    function.deploy()
except mlrun.errors.MLRunRuntimeError as exc:
    print("refused:", exc)
"""


def test_a_function_that_was_used_before_says_so(script):
    assert "refused: this object was used before leeway.start() was called" in script(EARLY)


LIGHT = "import sys; print('mlrun' in sys.modules, [n for n in sys.modules if n.startswith('leeway')])"


def test_a_child_that_does_not_use_mlrun_does_not_load_it(script):
    names = ["leeway", "leeway.local", "leeway.local.run_db", "leeway.local.run_db.hook"]
    assert script(LIGHT, LEEWAY_LAPTOP="1") == f"False {names}\n"
    assert script(LIGHT) == "False []\n"
