"""What messages look like, by the receiver's own rules."""

import asyncio
import json

import pytest

from leeway.settings import Settings
from monitoring.notify.notice import Notice
from monitoring.notify.sinks import sinks_of

EVIL = "<script>&|</script>"


def notice(number=0, begins=True, **changed):
    given = {
        "key": f"incident/{number}", "state": "open", "title": "Data drift", "text": f"data drift {number}",
        "about": "shop/server/a/default/a/v1", "begins": begins, "path": f"incident?id={number}",
    }  # fmt: skip
    return Notice(**{**given, **changed})


def sent(receiver, path, notices, link="http://127.0.0.1:8/", **settings):
    (sink,) = sinks_of(Settings(**settings))
    sink.send(notices, link)
    return receiver.bodies(path)[-1]


def test_slack_gets_text_and_a_line_each(receiver):
    body = sent(receiver, "hook", [notice(), notice(1, begins=False)], notify_slack=receiver.url("hook"))
    assert body["text"] == "data drift 0, and 1 more"
    lines = [block["text"]["text"] for block in body["blocks"]]
    assert lines[0] == ":red_circle: *<http://127.0.0.1:8/incident?id=0|Data drift>* data drift 0"
    assert lines[1].startswith(":large_green_circle:")
    assert all(block["type"] == "section" and block["text"]["type"] == "mrkdwn" for block in body["blocks"])


def test_names_are_text_in_slack(receiver):
    body = sent(receiver, "hook", [notice(text=EVIL, title=EVIL)], notify_slack=receiver.url("hook"))
    assert "<script" not in json.dumps(body)
    assert "&lt;script&gt;&amp;" in body["text"]


def test_slack_takes_fifty_blocks_of_three_thousand_characters(receiver):
    many = [notice(i, text="x" * 5_000) for i in range(200)]
    body = sent(receiver, "hook", many, notify_slack=receiver.url("hook"))
    assert len(body["blocks"]) == 21 and body["blocks"][-1]["text"]["text"] == "and 180 more"
    assert all(len(block["text"]["text"]) <= 3_000 for block in body["blocks"])


def test_without_a_dashboard_there_is_no_link(receiver):
    body = sent(receiver, "hook", [notice()], link="", notify_slack=receiver.url("hook"))
    assert body["blocks"][0]["text"]["text"] == ":red_circle: *Data drift* data drift 0"
    assert sent(receiver, "plain", [notice()], link="", notify_webhook=receiver.url("plain"))["notices"][0]["url"] == ""


def test_mlruns_webhook_gets_what_mlrun_itself_sends_of_an_alert(receiver):
    params = {"url": receiver.url("mlrun"), "headers": {"X-Mine": "yes"}}
    given = json.dumps([{"kind": "webhook", "name": "mine", "params": params}])
    ours = sent(receiver, "mlrun", [notice()], notify_mlrun=given)
    assert receiver.headers[-1]["X-Mine"] == "yes"
    assert set(ours) == set(_sent_by_mlrun(receiver, params))
    assert (ours["severity"], ours["project"], ours["id"]) == ("high", "shop", "shop/server/a/default/a/v1")
    assert ours["summary"] == "data drift 0 http://127.0.0.1:8/incident?id=0"


def _sent_by_mlrun(receiver, params):
    from mlrun.common import schemas
    from mlrun.common.schemas import alert as alerts
    from mlrun.utils.notifications.notification.webhook import WebhookNotification

    alert = schemas.AlertConfig(
        project="shop", name="drift", summary="a drift", severity=alerts.AlertSeverity.HIGH,
        entities=alerts.EventEntities(kind="model-endpoint-result", project="shop", ids=["x"]),
        trigger=alerts.AlertTrigger(events=["data-drift-detected"]),
        notifications=[{"notification": {"kind": "webhook", "name": "a", "params": params}}],
    )  # fmt: skip
    entity = alerts.EventEntities(kind="model-endpoint-result", project="shop", ids=["x"])
    event = schemas.Event(kind="data-drift-detected", entity=entity, value_dict={"a": 1})
    asyncio.run(WebhookNotification("a", params).push("a drift", "high", alert=alert, event_data=event))
    return receiver.bodies("mlrun")[-1]


@pytest.mark.parametrize("override", [{"mine": 1}, ["a"]])
def test_a_body_of_the_users_own_is_sent_as_it_is(receiver, override):
    params = {"url": receiver.url("own"), "override_body": override}
    given = json.dumps([{"kind": "webhook", "params": params}])
    assert sent(receiver, "own", [notice()], notify_mlrun=given) == override


def test_mlruns_slack_goes_where_its_params_say(receiver):
    given = json.dumps([{"kind": "slack", "params": {"webhook": receiver.url("hook")}}])
    assert sent(receiver, "hook", [notice()], notify_mlrun=given)["text"] == "data drift 0"


def test_no_setting_of_an_address_is_shown():
    shown = repr(Settings(notify_webhook="http://a/s3cret", notify_slack="http://a/s3cret", notify_mlrun="s3cret"))
    assert "s3cret" not in shown
