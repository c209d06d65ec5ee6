"""Stores that are full, locked, deleted or silent: no answer fails, what is dropped is counted, all comes back."""

import json
import os
import pickle
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from leeway.backends import connect, sqlite_database
from leeway.clock import ManualClock, SystemClock
from leeway.errors import StoreError
from leeway.forwarder import Forwarder
from leeway.local.stores import stores
from leeway.outbox import Outbox
from leeway.settings import Settings
from tests.faults.faults import Faults
from tests.faults.processes import Worker

CHILDREN = Path(__file__).parent / "children"
ROOT = Path(__file__).parents[2]
KEY = "shop/server/a"
PATIENCE_S = 60.0
# Without this root may write what nobody may.
PLAIN = ["setpriv", "--bounding-set", "-dac_override"] if os.getuid() == 0 else []


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home", outbox_limit_mb=1)


@pytest.fixture
def outbox(settings):
    outbox = Outbox.create(settings.home / "outbox" / "shop" / "server", settings, ManualClock())
    yield outbox
    outbox.close()


def append(outbox, size=10):
    return outbox.append(KEY, lambda origin: b"x" * size)


def run_in_a_namespace(*command):
    """What the command prints as JSON, in a mount namespace of its own where this machine gives one: root's, or that of
    a user namespace. Its last argument says whether it did; where not, permissions hold for it."""
    ways = (["unshare", "-m"], ["unshare", "-Urm"])
    given = [way for way in ways if can_run([*way, "mount", "-t", "tmpfs", "tmpfs", "/mnt"])]
    full = [*given[0], *command, "own"] if given else [*PLAIN, *command, "shared"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/bin:/sbin:/usr/bin:/usr/sbin"}
    ran = subprocess.run(full, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1]), bool(given)  # after what it logged


def can_run(command):
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.slow
def test_on_a_full_disk_answers_go_on_and_what_is_dropped_is_counted(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    found, is_own = run_in_a_namespace(sys.executable, str(CHILDREN / "fill_the_disk.py"), str(home))
    assert found["disk"] == ("SmallDisk" if is_own else "Quota")
    assert found["before"] == [True] * 5 and found["after"] and found["ended"]
    dropped = found["full"].count(False)
    assert dropped >= 4
    assert found["dropped"] == {"write_error": dropped}
    assert found["seq"] == 5 + found["full"].count(True) + 1
    assert found["shown"][0]["dropped"] == {"write_error": dropped}
    assert found["messages"] == found["seq"] + 1


@pytest.mark.slow
def test_read_only_stores_fail_no_answer_and_are_used_again_when_they_can_be_written(tmp_path):
    folder, model = tmp_path / "stores", tmp_path / "model.pkl"
    folder.mkdir()
    rows = np.random.default_rng(1).random((200, 3))
    model.write_bytes(pickle.dumps(DecisionTreeClassifier(max_depth=2).fit(rows, (rows[:, 0] > 0.5).astype(int))))
    found, is_own = run_in_a_namespace(sys.executable, str(CHILDREN / "read_only_stores.py"), str(folder), str(model))
    assert found["by"] == ("mounts" if is_own else "permissions")
    home = found["home"]
    assert home["statuses"] == [200] and home["told"]
    assert home["dropped"] == {"no_outbox": home["asked"] - 1} and home["seq"] == 1
    stream = found["stream"]
    assert stream["statuses"] == [200] and stream["seqs"] == [1, 2, 3, 4, 5] and stream["waiting"] > 500
    for store in ("state", "series", "archive"):
        about = found[store]
        assert about["taken"][0] and about["rows"] == 5
        assert any(("readonly" in told or "unable to open" in told or "Read-only" in told or "denied" in told)
                   and store in told for told in about["reports"]), about["reports"]  # fmt: skip
    assert "state" in found["state"]["error"] and not found["state"]["taken"][1]
    assert [found[each]["locked"] for each in ("stream", "state", "archive")] == [["streams"], ["state"], ["archive"]]


def test_a_broker_that_hangs_delays_nothing_and_what_no_longer_fits_is_counted(outbox, settings):
    answers, stream = threading.Event(), connect.stream("s", settings)
    append_really = stream.append

    def hang(entries):
        assert answers.wait(PATIENCE_S)
        return append_really(entries)

    stream.append = hang
    forwarder = Forwarder(outbox, lambda: stream, SystemClock())
    forwarder.start()
    kept = [append(outbox, 100_000) for _ in range(15)]
    assert kept == [True] * 10 + [False] * 5
    shown = stores(settings)["outboxes"]
    assert shown[0]["dropped"] == {"outbox_full": 5} and shown[0]["waiting_bytes"] > 1_000_000
    answers.set()
    assert forwarder.close(PATIENCE_S)
    assert connect.stream("s", settings).bounds(0) == (0, 11)
    stream.close()


def test_a_locked_stream_keeps_records_waiting_until_it_is_free(outbox, settings, monkeypatch):
    monkeypatch.setattr(sqlite_database, "_BUSY_S", 0.01)
    stream = connect.stream("s", settings)
    stream.append([(KEY, b"first")])
    lock = sqlite3.connect(settings.home / "streams" / "s" / "shard-0.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    forwarder = Forwarder(outbox, lambda: connect.stream("s", settings), SystemClock())
    assert append(outbox)
    with pytest.raises(StoreError, match="locked"):
        forwarder.work()
    assert stores(settings)["outboxes"][0]["waiting_bytes"] > 0
    lock.execute("ROLLBACK")
    lock.close()
    forwarder.begin_closing()
    assert forwarder.work()
    assert stream.bounds(0) == (0, 3)
    stream.close()


@pytest.mark.parametrize("store", ["state", "series", "archive"])
def test_a_store_that_refuses_for_a_while_is_written_by_the_same_consumer(tmp_path, store, profile):
    away: set[str] = set()
    worker = Worker(tmp_path, Settings(home=tmp_path, range_rows=1), ManualClock(), Faults(0, away))
    worker.start()
    stream = worker._stream
    record = (
        '{"schema":1,"id":"r%d","op":"infer","when":"","project":"shop","function_uri":"shop/server","deployment":"a",'
        '"origin":{"outbox":"o","seq":%d},"request":{"inputs":[[1]]},"resp":{"outputs":[1]}}'
    )
    stream.append([(KEY, (record % (i, i)).encode()) for i in range(1, 4)])
    away.add(store)
    with pytest.raises(StoreError):
        worker.deliver(10)
    away.clear()
    worker.deliver(10)
    worker.close()
    assert worker.consumer.position == 3
    worker.bury()


def test_a_stream_whose_file_is_deleted_goes_on_above_what_it_had(settings, outbox):
    clock = ManualClock()
    writer, reader = connect.stream("s", settings, clock), connect.stream("s", settings, clock)
    writer.append([(KEY, b"%d" % i) for i in range(3)])
    assert [message.offset for message in reader.read(0, 0, 10)] == [0, 1, 2]
    (settings.home / "streams" / "s" / "shard-0.db").unlink()
    assert reader.read(0, 3, 10) == []
    assert writer.append([(KEY, b"later"), (KEY, b"still later")]) == 2
    found = reader.read(0, 3, 10)
    assert [message.value for message in found] == [b"later", b"still later"]
    assert found[0].offset > 1e15
    clock.advance(1)
    (settings.home / "streams" / "s" / "shard-0.db").unlink()
    writer.append([(KEY, b"again")])
    assert [message.value for message in reader.read(0, found[-1].offset + 1, 10)] == [b"again"]
    for stream in (writer, reader):
        stream.close()
