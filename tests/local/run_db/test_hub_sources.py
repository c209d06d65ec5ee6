"""hub:// URLs."""

import functools
import http.server
import threading

import pytest
import yaml
from mlrun.errors import MLRunBadRequestError, MLRunNotFoundError

FUNCTION = {"kind": "job", "metadata": {"name": "mine"}, "spec": {"image": "mlrun/mlrun"}}


@pytest.fixture
def folder(write):
    path = write("hub/functions/master/my_own/latest/src/function.yaml", yaml.safe_dump(FUNCTION))
    return path.parents[5]


@pytest.fixture
def url(folder):
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hub"
        server.shutdown()


def source(name, path, index=-1):
    return {"index": index, "source": {"metadata": {"name": name}, "spec": {"path": str(path), "channel": "master"}}}


def test_our_own_functions_are_there_without_being_told(project, mlrun):
    assert project.set_function("hub://leeway/concept_drift", "drift").metadata.name == "drift"
    assert mlrun.import_function("hub://leeway/train").kind == "job"
    assert mlrun.import_function("hub://concept-drift").kind == "remote"
    assert [one.source.metadata.name for one in mlrun.get_run_db().list_hub_sources()] == ["leeway"]


def test_a_source_may_be_a_folder_or_a_url(mlrun, folder, url):
    db = mlrun.get_run_db()
    assert db.create_hub_source(source("near", folder)).index == 1
    assert mlrun.import_function("hub://near/my-own").metadata.name == "mine"
    assert mlrun.import_function("hub://my-own").metadata.name == "mine"
    db.delete_hub_source("near")
    db.store_hub_source("far", source("far", url))
    assert mlrun.import_function("hub://far/my-own").metadata.name == "mine"
    assert mlrun.import_function("hub://my-own").metadata.name == "mine"
    assert mlrun.import_function("hub://train").kind == "job"
    assert mlrun.import_function(f"{url}/functions/master/my_own/latest/src/function.yaml").metadata.name == "mine"


def test_what_is_not_there_is_named(mlrun):
    with pytest.raises(MLRunNotFoundError, match=r"'nowhere' not found; there are: leeway"):
        mlrun.import_function("hub://nowhere/x")
    with pytest.raises(MLRunNotFoundError, match="Item=unheard-of"):
        mlrun.import_function("hub://unheard-of")


def test_our_source_cannot_be_replaced(mlrun, folder):
    with pytest.raises(MLRunBadRequestError, match="built in"):
        mlrun.get_run_db().create_hub_source(source("leeway", folder))
    with pytest.raises(MLRunBadRequestError, match="built in"):
        mlrun.get_run_db().delete_hub_source("leeway")
