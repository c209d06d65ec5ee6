"""`leeway hub serve`: a hub, or any folder of functions, as a source that MLRun reads over HTTP."""

import json
import threading

import httpx
import mlrun
import pytest
import yaml
from click.testing import CliRunner

from leeway.cli import main
from leeway.errors import BundleError
from leeway.local.hub import hub_folder
from leeway.local.hub_server import HubServer

FUNCTION = {"kind": "job", "metadata": {"name": "mine"}, "spec": {"image": "mlrun/mlrun"}}
ITEM = {"name": "my_own", "version": "2.0.0", "spec": {"kind": "job"}}


@pytest.fixture
def serve():
    servers = []

    def start(folder):
        servers.append(HubServer(folder))
        threading.Thread(target=servers[-1].run, daemon=True).start()
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def items(tmp_path):
    (tmp_path / "items/my-own").mkdir(parents=True)
    (tmp_path / "items/my-own/function.yaml").write_text(yaml.safe_dump(FUNCTION))
    (tmp_path / "items/my-own/item.yaml").write_text(yaml.safe_dump(ITEM))
    (tmp_path / "secret").write_text("s")
    return tmp_path / "items"


def test_the_hub_that_leeway_brings_along(serve):
    server = serve(hub_folder())
    assert {"concept_drift", "model_server", "train"} <= set(server.names)
    found = mlrun.import_function(f"{server.url}/functions/master/train/latest/src/function.yaml")
    assert (found.kind, found.metadata.name) == ("job", "train")
    assert "train" in httpx.get(f"{server.url}/functions/master/catalog.json").json()


def test_a_folder_of_the_users_own(serve, items):
    server = serve(items)
    assert server.names == ["my_own"]
    found = mlrun.import_function(f"{server.url}/functions/master/my_own/latest/src/function.yaml")
    assert found.metadata.name == "mine"
    catalog = httpx.get(f"{server.url}/functions/master/catalog.json").json()
    assert sorted(catalog["my_own"]) == ["2.0.0", "latest"]


@pytest.mark.parametrize("path", ["secret", "%2e%2e/secret", "functions/master/my_own/latest/src/..", "functions"])
def test_nothing_beside_the_functions_is_served(serve, items, path):
    assert httpx.get(f"{serve(items).url}/{path}").status_code == 404
    (items / "functions").mkdir()
    assert httpx.get(f"{serve(items).url}/{path}").status_code == 404


def test_a_folder_without_functions_is_refused(tmp_path):
    with pytest.raises(BundleError, match=r"holds neither functions/ .* nor a folder with a function\.yaml"):
        HubServer(tmp_path)


def test_the_command_says_where(items, monkeypatch):
    monkeypatch.setattr(HubServer, "run", lambda server: server._server.server_close())
    result = CliRunner().invoke(main, ["hub", "serve", str(items), "--json"])
    assert json.loads(result.output)["functions"] == ["my_own"]
    assert "my_own/latest/src/function.yaml" in CliRunner().invoke(main, ["hub", "serve", str(items)]).output
