"""`leeway status` shows what waits in outboxes, what was dropped, and what is in trouble; the drift function too."""

import pytest

from leeway.backends import connect
from leeway.clock import SystemClock
from leeway.outbox import Outbox
from leeway.record import Position
from leeway.settings import Settings
from monitoring.metrics import metrics
from monitoring.packing import pack
from monitoring.projection import ENDPOINT
from monitoring.queries import Queries
from monitoring.status import status
from monitoring.troubles import Trouble
from monitoring.watch import TROUBLED, Watched

KEY = "shop/server/elec"


@pytest.fixture
def waiting(home):
    """Two outboxes of one function, whose stream is away: 150 bytes and more wait, three records were dropped."""
    settings = Settings(home=home)
    outboxes = [Outbox.create(home / "outbox" / "shop" / "server", settings, SystemClock()) for _ in range(2)]
    for outbox in outboxes:
        assert outbox.append(KEY, lambda origin: b"x" * 75)
    outboxes[0].drop(KEY, "outbox_full", 2)
    outboxes[1].drop(KEY, "no_outbox")
    yield sum(outbox.waiting()[1] for outbox in outboxes)
    for outbox in outboxes:
        outbox.close()


def test_what_waits_and_what_was_dropped_is_shown(waiting, leeway, ok):
    (about,) = ok(leeway("status", "--json"))["outboxes"]
    assert (about["function"], about["outboxes"], about["waiting_bytes"]) == ("shop/server", 2, waiting)
    assert about["dropped"] == {"outbox_full": 2, "no_outbox": 1}
    (line,) = [line for line in leeway("status").stdout.splitlines() if line.startswith("outbox    shop")]
    assert f"{waiting:,} bytes wait for the stream" in line
    assert "2 records dropped (outbox_full)" in line and "1 records dropped (no_outbox)" in line


def test_the_drift_function_shows_it_too(waiting, home):
    with Queries(Settings(home=home)) as queries:
        text = metrics(queries, queries.settings, 0).decode()
        (about,) = status(queries)["outboxes"]
    assert f'leeway_outbox_waiting_bytes{{function="shop/server"}} {float(waiting)}' in text
    assert 'leeway_outbox_dropped{function="shop/server",reason="outbox_full"} 2.0' in text
    assert about["waiting_bytes"] == waiting


def test_an_endpoint_that_is_not_watched_is_trouble(home, leeway, ok):
    endpoint, trouble = "shop/server/a/default/a/v1", Trouble("ValueError: no such bin", Position(0, 7))
    about = pack(Watched("shop/server/a", TROUBLED, trouble=trouble))
    connect.state(Settings(home=home), "shared").commit({ENDPOINT + endpoint: about})
    (shown,) = ok(leeway("status", "--json"))["endpoints"]
    assert shown["trouble"] == {"reason": "ValueError: no such bin", "since": "0-7-0"}
    lines = leeway("status").stdout.splitlines()
    assert f"endpoint  {endpoint}: troubled, 0 open incident(s)" in lines
    assert f"trouble   {endpoint} is not watched since position 0-7-0: ValueError: no such bin" in lines


def test_a_store_that_cannot_be_read_is_trouble(home, leeway):
    assert "trouble" not in leeway("status").stdout
    connect.state(Settings(home=home), "shared").commit({"a": b"1"})
    (home / "state" / "shared.db").write_bytes(b"no database at all, but something long enough" * 100)
    result = leeway("status")
    assert result.exit_code == 0
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("trouble")]
    assert "shared.db" in line


def test_a_disk_that_is_nearly_full_is_trouble(home, leeway, monkeypatch):
    home.mkdir()
    monkeypatch.setattr("leeway.commands.status._LITTLE_ROOM", 1 << 62)
    assert "are left on the disk of the home: make room" in leeway("status").stdout


def test_a_store_that_cannot_be_written_is_trouble(home, leeway, monkeypatch):
    (home / "archive").mkdir(parents=True)
    monkeypatch.setattr("os.access", lambda path, mode: "archive" not in str(path))
    (line,) = [line for line in leeway("status").stdout.splitlines() if line.startswith("trouble")]
    assert f"{home / 'archive'} cannot be written" in line
