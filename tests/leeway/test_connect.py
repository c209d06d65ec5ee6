import sqlite3
import subprocess
import sys

import pytest

from leeway.backends import connect
from leeway.errors import StoreError
from leeway.settings import Settings


def test_a_name_and_its_url_are_one_stream(home):
    settings = Settings(home=home)
    for url in ("users/admin/elec", "/users/admin/elec/", f"embedded://{home}/streams/users/admin/elec"):
        connect.stream(url, settings).append([("a", url.encode())])
    messages = connect.stream("users/admin/elec", settings).read(0, 0, 9)
    assert [m.offset for m in messages] == [0, 1, 2]
    assert (home / "streams" / "users" / "admin" / "elec" / "shard-0.db").exists()


def test_streams_whose_names_begin_alike_do_not_meet(home):
    for name in ("users/admin", "users/admin/elec", "users/admin/elec-events"):
        connect.stream(name, Settings(home=home)).append([("a", name.encode())])
    assert [m.value for m in connect.stream("users/admin", Settings(home=home)).read(0, 0, 9)] == [b"users/admin"]


def test_the_base_of_names_can_be_given(home, tmp_path):
    settings = Settings(home=home, stream=f"embedded://{tmp_path}/base/", kubernetes_service_host="10.0.0.1")
    connect.stream("users/x", settings).append([("a", b"")])
    assert (tmp_path / "base" / "users" / "x" / "shard-0.db").exists()


@pytest.mark.parametrize(
    ("url", "given", "told"),
    [
        ("ftp://host/topic", {}, "'ftp://host/topic'.*embedded:///path, kafka://host:9092/topic"),
        ("ftp://me:secret@host/x?key=secret", {}, r"'ftp://me:\*\*\*@host/x\?\*\*\*'"),
        ("embedded://", {}, "names no place"),
        ("users/x", {"v3io_api": "https://v3io"}, "v3io:///users/x needs V3IO_ACCESS_KEY"),
        ("v3io:///users/x", {}, "v3io:///users/x needs V3IO_API"),
        ("users/x", {"kubernetes_service_host": "10.0.0.1"}, "'users/x'.*pod.*kafka://.*volume"),
        ("users/x", {"stream": "ftp://host:9092"}, "'ftp://host:9092/users/x'"),
        ("kafka://host:9092/a?sasl.password=secret", {}, "brokers and topic only.*LEEWAY_KAFKA_OPTIONS"),
        ("kafka://host:9092/a b", {}, "kafka://host:9092/a b is no stream"),
        (
            "kafka://host:9092/a",
            {"kafka_options": '{"sasl_pass": 1, "nonsense": "secret"}'},
            "'nonsense'; use librdkafka's",
        ),
        ("kafka://host:9092/a", {"kafka_options": '{"acks": "0", "linger.ms": 1}'}, "'acks'"),
        ("kafka://host:9092/a", {"kafka_options": "secret"}, "no JSON object"),
    ],
)
def test_a_stream_that_cannot_be_opened_says_what_would_do(home, url, given, told):
    with pytest.raises(StoreError, match=told) as refused:
        connect.stream(url, Settings(home=home, **given))
    assert "secret" not in str(refused.value)
    assert not home.exists()


@pytest.mark.parametrize(
    ("kind", "scheme", "call"),
    [
        ("series", "sqlite", connect.series),
        ("archive", "file", connect.archive),
        ("state", "sqlite", lambda settings: connect.state(settings, "shared")),
    ],
)
def test_an_unknown_scheme_names_the_known_ones(home, kind, scheme, call):
    for url in ("nowhere://host/db", "/a/bare/path"):
        with pytest.raises(StoreError, match=f"{kind} '{url}' .* {scheme}:///path"):
            call(Settings(home=home, **{kind: url}))


def test_stores_can_lie_elsewhere(home, tmp_path):
    settings = Settings(home=home, series=f"sqlite://{tmp_path}/s.db", state=f"sqlite://{tmp_path}/states")
    connect.series(settings).write([])
    connect.state(settings, "a/b").commit({"x": b""})
    assert (tmp_path / "s.db").exists() and (tmp_path / "states" / "a" / "b.db").exists()
    assert not home.exists()


def test_a_relative_home_stays_where_it_was_when_the_process_moves(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = Settings()
    stores = connect.stream("x", settings), connect.state(settings, "shared"), connect.series(settings)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    stores[0].append([("a", b"")])
    stores[1].commit({"a": b""})
    stores[2].write([])
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("version", [7, 0])
def test_a_file_of_another_layout_says_what_to_do(home, version):
    connect.state(Settings(home=home), "shared").commit({"a": b""})
    with sqlite3.connect(home / "state" / "shared.db") as connection:
        connection.execute(f"PRAGMA user_version={version}")
    connection.close()
    with pytest.raises(StoreError, match=rf"layout version {version}, this Leeway knows 1 to 1: use the"):
        connect.state(Settings(home=home), "shared").get("a")


def test_a_file_that_is_no_database_is_named(home):
    (home / "state").mkdir(parents=True)
    (home / "state" / "shared.db").write_bytes(b"something else" * 100)
    with pytest.raises(StoreError, match=r"shared\.db"):
        connect.state(Settings(home=home), "shared").get("a")


def test_a_stream_folder_of_another_version_is_refused(home):
    connect.stream("x", Settings(home=home))
    (home / "streams" / "x" / "stream.json").write_text('{"version": 2, "shards": 1}')
    with pytest.raises(StoreError, match="version 2"):
        connect.stream("x", Settings(home=home))


def test_folders_are_for_their_owner_only(home):
    settings = Settings(home=home)
    connect.stream("a/b", settings).append([("a", b"")])
    connect.state(settings, "c/d").commit({"x": b""})
    folders = [home, *(path for path in home.rglob("*") if path.is_dir())]
    assert len(folders) == 6
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}


def test_a_home_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    settings = Settings(home=tmp_path / "file" / "home")
    with pytest.raises(StoreError, match="file"):
        connect.stream("x", settings)
    with pytest.raises(StoreError, match="file"):
        connect.state(settings, "shared").get("a")


def test_streams_and_states_do_not_cost_the_import_of_arrow(home):
    code = """
import sys, pathlib
from leeway.backends import connect
from leeway.settings import Settings
settings = Settings(home=pathlib.Path(sys.argv[1]))
connect.stream("x", settings).append([("a", b"")]); connect.state(settings, "shared").get("a"); connect.series(settings)
import leeway.forwarder
print(sorted({"pyarrow", "numpy", "pandas", "mlrun"} & set(sys.modules)))
"""
    found = subprocess.run([sys.executable, "-c", code, str(home)], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_settings_do_not_show_what_may_hold_a_secret():
    url = "postgresql://me:secret@host/db"
    settings = Settings(state=url, series=url, archive=url, kafka_options="secret", v3io_access_key="secret")
    assert "secret" not in repr(settings)
