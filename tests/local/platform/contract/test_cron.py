"""A function that a clock calls."""

import json

import pytest

pytestmark = pytest.mark.slow

CODE = """
import json, os
def handler(context, event):
    with open(os.environ["MARK"], "a") as file:
        print(json.dumps([repr(event.body), event.trigger.kind, event.headers, event.timestamp.isoformat()]), file=file)
    raise RuntimeError("a tick that fails is not the last one")
"""


@pytest.mark.parametrize("attributes", [{"interval": "20ms"}, {"schedule": "0-59 * * * * *"}])
def test_ticks_follow_each_other_even_where_one_fails(laptop, tmp_path, attributes):
    mark = tmp_path / "mark"
    event = {"event": {"body": "hello", "headers": {"Content-Type": "application/json"}}}
    triggers = {"clock": {"kind": "cron", "attributes": {**attributes, **event}}}
    status = laptop.deploy("ticks", CODE, env={"MARK": str(mark)}, triggers=triggers)
    assert (status["state"], status["externalInvocationUrls"]) == ("ready", [])
    laptop.until(lambda: mark.exists() and len(mark.read_text().splitlines()) >= 2, "two ticks")
    body, kind, headers, time = json.loads(mark.read_text().splitlines()[0])
    assert (body, kind, headers) == ("b'hello'", "cron", {"Content-Type": "application/json"})
    assert time == "1970-01-01T00:00:00"
    assert "a tick that fails is not the last one" in laptop.log("ticks")


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({}, "neither attributes.interval nor"),
        ({"schedule": "x"}, "has 1 fields"),
        ({"interval": "x"}, "not a duration"),
    ],
)
def test_a_schedule_that_is_none_is_an_error_of_the_deploy(laptop, attributes, said):
    status = laptop.deploy("ticks", CODE, triggers={"clock": {"kind": "cron", "attributes": attributes}})
    assert status["state"] == "error"
    assert said in status["message"]
