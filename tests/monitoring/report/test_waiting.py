import pytest

from leeway.backends import connect
from leeway.errors import StoreError
from monitoring.waiting import until_adopted, until_consumed


def test_it_returns_when_all_that_is_expected_was_consumed(run, maker):
    maker.predict("a", "x")
    run.take(maker)
    told = []
    lag = until_consumed("s", 1, run.settings, run.queries, told.append)
    assert (lag.end, lag.consumed, lag.waiting) == (1, 1, 0)
    assert told == [lag]


def test_what_nobody_consumes_is_named_with_its_numbers(run):
    stream = connect.stream("s", run.settings)
    stream.append([("k", b"{}")] * 3)
    stream.close()
    with pytest.raises(StoreError, match="3 of 2 messages came, 0 were consumed"):
        until_consumed("s", 2, run.settings, run.queries, patience_s=0)


def test_records_that_do_not_come_are_waited_for_no_longer_than_patience(run, maker):
    maker.predict("a", "x")
    run.take(maker)
    with pytest.raises(StoreError, match="1 of 2 messages came"):
        until_consumed("s", 2, run.settings, run.queries, patience_s=0)


def test_outboxes_that_nobody_adopts_are_named_with_their_folder(run):
    folder = run.settings.home / "outbox" / "shop" / "server"
    folder.mkdir(parents=True)
    (folder / "one.outbox").touch()
    (folder / ".two.outbox.new").touch()
    until_adopted("shop/server", 1, run.settings)
    (folder / "left.outbox").touch()
    with pytest.raises(StoreError, match="shop/server holds 2 outboxes of 1 workers"):
        until_adopted("shop/server", 1, run.settings, patience_s=0)
