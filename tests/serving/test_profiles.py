"""The drift function finds the profile of each endpoint, and a store that is away stops nothing."""

import shutil

import pytest

from leeway.backends import connect
from leeway.errors import StoreError
from leeway.settings import Settings
from serving.profiles import Profiles

PROFILES = {"p/f/m/default/m/v1": b"profile"}


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path)


def shared(settings):
    return connect.state(settings, "shared")


def stored(settings):
    state = shared(settings)
    try:
        return state.scan("profile/")
    finally:
        state.close()


def test_they_are_put_where_the_drift_function_looks(settings):
    Profiles(lambda: shared(settings), PROFILES).publish()
    assert stored(settings) == {"profile/p/f/m/default/m/v1": b"profile"}


def test_one_that_is_there_stays(settings):
    Profiles(lambda: shared(settings), PROFILES).publish()
    Profiles(lambda: shared(settings), dict.fromkeys(PROFILES, b"other")).publish()
    assert list(stored(settings).values()) == [b"profile"]


def test_a_store_that_is_away_is_tried_again(settings, monkeypatch):
    monkeypatch.setattr("serving.profiles._FIRST_PAUSE_S", 0.01)
    calls = []

    def open_state():
        calls.append(1)
        if len(calls) < 3:
            raise StoreError("away")
        return shared(settings)

    profiles = Profiles(open_state, PROFILES)
    profiles.publish()
    while len(calls) < 3 or not stored(settings):
        pass  # the test's timeout ends this
    assert list(stored(settings).values()) == [b"profile"]


def test_a_model_server_publishes_and_records_with_the_names(start, model_files, tmp_path, profile_of_rows):
    folder = tmp_path / "with-profile"
    folder.mkdir()
    shutil.copy(model_files["forest"], folder / "model.pkl")
    (folder / "leeway-profile.json").write_bytes(profile_of_rows)
    server = start({"m": folder / "model.pkl"})
    version = server.post("/m/predict", {"instances": [[1, 2, 3]]}).json["model_version"]
    assert stored(server.settings) == {f"profile/shop/model-server/m/default/m/{version}": profile_of_rows}
    assert server.get("/v2/models/m").json["inputs"] == [
        {"name": name, "datatype": "FP64", "shape": [-1]} for name in "abc"
    ]
    (record,) = server.records()
    assert record.features == ["a", "b", "c"]


def test_a_model_is_served_while_the_state_store_is_away(start, model_files, tmp_path, monkeypatch, profile_of_rows):
    folder = tmp_path / "away"
    folder.mkdir()
    shutil.copy(model_files["forest"], folder / "model.pkl")
    (folder / "leeway-profile.json").write_bytes(profile_of_rows)

    def away(*given):
        raise StoreError("away")

    monkeypatch.setattr("leeway.backends.connect.state", away)
    assert start({"m": folder}).post("/m/predict", {"instances": [[1, 2, 3]]}).status == 200
