"""Endpoints in MLRun's service: registered by its own client against a stub, once, and later where it is away."""

from contextlib import closing

import pytest

from leeway.backends import connect
from leeway.settings import Settings
from monitoring.keeper import Keeper
from monitoring.model_endpoints import endpoint_name, register_model_endpoints
from tests.service.mlrun_service import MlrunService

ENDPOINT = "shop/server/a/default/a/v1"


@pytest.fixture
def settings(make_reader, maker, monkeypatch):
    """Of a home in which an endpoint answered."""
    monkeypatch.setenv("MLRUN_IGNORE_ENV_FILE", "1")
    reader = make_reader()
    maker.predict("a", "one")
    reader.consumer().consume(maker.messages)

    def with_service(url):
        monkeypatch.setenv("MLRUN_DBPATH", url)
        return Settings.read_with({"LEEWAY_HOME": str(reader.settings.home)})

    return with_service


@pytest.fixture
def service():
    service = MlrunService()
    yield service
    service.stop()


@pytest.mark.slow
def test_an_endpoint_is_registered_once_by_whoever_keeps_the_stores_small(settings, service):
    settings, said = settings(service.url), []
    with closing(connect.series(settings)) as series:
        keeper = Keeper(settings, connect.archive(settings), series, lambda: [], said.append)
        service.refusal = "no such project"
        keeper.keep()
        assert len(said) == 1 and service.kept == {}
        assert "model endpoints cannot be registered at http://127.0.0.1" in said[0] and "no such project" in said[0]
        service.refusal = ""
        keeper.keep()
    assert register_model_endpoints(settings) == []
    assert (len(said), service.unknown) == (1, [])
    assert list(service.kept) == ["projects/shop/model-endpoints/a"]
    made = service.kept["projects/shop/model-endpoints/a"]
    assert made["metadata"]["labels"] == {"leeway-endpoint": ENDPOINT, "leeway-version": "v1"}
    assert (made["spec"]["function_name"], made["spec"]["model_tags"]) == ("server", ["v1"])
    assert made["spec"]["feature_names"] == ["price", "demand", "region"]
    assert made["status"]["monitoring_mode"] == "enabled"


def test_nothing_is_done_where_no_service_is(settings):
    assert register_model_endpoints(settings("./")) == []


def test_a_node_of_a_graph_has_a_name_of_its_own():
    assert endpoint_name("shop/server/elec/canary/scaler/v1") == "elec.canary.scaler"
