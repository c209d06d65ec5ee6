"""Who is told of what, when, and how often."""

import pytest

from leeway.backends import connect
from leeway.errors import SettingError
from leeway.settings import Settings
from monitoring.shards import Shards

LIVE = "shop/server/a/default/a/v1"


def told(receiver, path="plain"):
    return [
        (each["key"].partition("/")[0], each["state"]) for body in receiver.bodies(path) for each in body["notices"]
    ]


def test_an_incident_is_told_when_it_opens_and_when_it_clears(make_notifier, drift, receiver):
    notifier = make_notifier()
    notifier.look()
    assert receiver.came == {}
    drift(100, moved=True)
    notifier.look()
    notifier.look()
    (body,) = receiver.bodies("plain")
    (notice,) = body["notices"]
    assert notice["state"] == "open" and notice["endpoint"] == LIVE and notice["features"][0] == "demand"
    assert notice["url"] == f"https://see.example/incident?id={notice['incident']}"
    assert notice["text"] == body["text"] and "data drift on " + LIVE in body["text"]
    drift(450, moved=False)
    notifier.look()
    assert told(receiver) == [("incident", "open"), ("incident", "cleared")]


def test_a_restart_tells_nothing_twice(make_notifier, drift, receiver):
    drift(100, moved=True)
    make_notifier().look()
    again = make_notifier()
    again.look()
    assert told(receiver) == [("incident", "open")]


def test_what_opened_while_nobody_looked_is_told_by_the_next_one(make_notifier, drift, receiver, home):
    make_notifier().look()
    drift(100, moved=True)
    drift(450, moved=False)
    notifier = make_notifier()
    notifier.look()
    assert told(receiver) == []  # the first one, which never came back, has the lease
    home.clock.advance(61)
    notifier.look()
    assert told(receiver) == [("incident", "cleared")]


def test_of_two_workers_one_sends(make_notifier, drift, receiver):
    drift(100, moved=True)
    first, second = make_notifier(), make_notifier()
    for notifier in (first, second, first, second):
        notifier.look()
    assert told(receiver) == [("incident", "open")]
    first.close()
    drift(450, moved=False)
    second.look()
    assert told(receiver) == [("incident", "open"), ("incident", "cleared")]


def test_a_new_sink_hears_only_of_what_is_open(make_notifier, drift, receiver):
    drift(100, moved=True)
    drift(450, moved=False)
    notifier = make_notifier()
    notifier.look()
    assert receiver.came == {}
    drift(300, moved=True)
    notifier.look()
    assert told(receiver) == [("incident", "open")]


def test_a_sink_that_fails_is_tried_again_later_and_holds_up_no_other(make_notifier, drift, receiver, home):
    other = Settings(
        home=home.settings.home, notify_webhook=receiver.url("plain"), notify_slack="http://127.0.0.1:9/secret-path"
    )
    notifier = make_notifier(other)
    drift(100, moved=True)
    notifier.look()
    assert told(receiver) == [("incident", "open")]
    assert make_notifier.reports == ["notifications to slack: URLError; it is tried again later"]
    notifier.look()
    home.clock.advance(5.1)
    notifier.look()
    home.clock.advance(9)
    notifier.look()
    assert len(make_notifier.reports) == 2
    home.clock.advance(1.1)
    notifier.look()
    assert len(make_notifier.reports) == 3
    assert told(receiver) == [("incident", "open")]


@pytest.mark.parametrize("status", [500, 404, 302])
def test_what_was_refused_is_sent_again(make_notifier, drift, receiver, home, status):
    receiver.status = status
    notifier = make_notifier()
    drift(100, moved=True)
    notifier.look()
    assert len(make_notifier.reports) == 1 and f"HTTP {status}" in make_notifier.reports[0]
    receiver.status = 200
    receiver.came.clear()
    home.clock.advance(4.9)
    notifier.look()
    assert told(receiver) == []
    home.clock.advance(0.2)
    notifier.look()
    assert told(receiver) == [("incident", "open")]
    assert len(receiver.came) == 1, "a redirect is not followed"


def test_what_a_person_decided_is_no_news(make_notifier, drift, receiver, home, maker):
    drift(100, moved=True)
    notifier = make_notifier()
    notifier.look()
    key = receiver.bodies("plain")[0]["notices"][0]["incident"]
    maker.append(maker.record("decision", "a", decision={"do": "dismiss", "incident": key}))
    home.consumer().consume(maker.messages)
    notifier.look()
    assert told(receiver) == [("incident", "open")]


def test_a_consumer_that_stands_while_messages_wait_is_told_of(make_notifier, receiver, home, maker):
    stream = connect.stream("s", home.settings)
    maker.predict("a", "one")
    stream.append([(maker.messages[0].key, maker.messages[0].value)])
    home.consumer().consume(stream.read(0, 0, 10))
    notifier = make_notifier()
    notifier.look()
    stream.append([(maker.messages[0].key, b"waits")])
    for seconds in (0, 119, 2, 60):
        home.clock.advance(seconds)
        notifier.look()
    assert told(receiver) == [("consumer", "stuck")]
    assert "1 messages wait in shard 0 of the stream s" in receiver.bodies("plain")[0]["text"]
    restarted = make_notifier()
    home.clock.advance(61)
    restarted.look()
    assert told(receiver) == [("consumer", "stuck")]
    home.consumer().consume(stream.read(0, 1, 10))
    restarted.look()
    assert told(receiver) == [("consumer", "stuck"), ("consumer", "moves")]
    stream.close()


def test_a_worker_tells_by_itself(home, receiver, maker):
    settings = {name: getattr(home.settings, name) for name in home.settings.__dataclass_fields__}
    shards = Shards(Settings(**{**settings, "notify_period_s": 0.1}), "s", lambda text: None, lambda *at: None)
    shards.start()
    x = maker.random
    for i in range(100):
        maker.predict("a", f"r{i}", [[x.random(), x.random() + 3, x.random()]])
    for message in maker.messages:
        shards.offer(message)
    assert receiver.heard.wait(60)
    shards.close()
    assert told(receiver) == [("incident", "open")]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"notify_webhook": "ftp://x"}, "no http or https URL"),
        ({"notify_mlrun": "{}"}, "expected a JSON list"),
        ({"notify_mlrun": "[1]"}, "expected a JSON list"),
        ({"notify_mlrun": '[{"kind": "mail"}]'}, "kind 'mail' is not sent from here"),
        ({"notify_mlrun": '[{"kind": "slack"}]'}, "no http or https URL"),
    ],
)
def test_what_cannot_be_a_sink_is_refused(make_notifier, home, given, said):
    with pytest.raises(SettingError, match=said):
        make_notifier(Settings(home=home.settings.home, **given))
