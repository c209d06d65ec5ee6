"""Exchanges with Nuclio's dashboard, as they were seen there: golden/*.json, "*" for what differs each time."""

import base64
import json
from pathlib import Path

import nuclio
import pytest
import requests
from nuclio.auth import AuthInfo
from nuclio.deploy import deploy_config, get_deploy_status

pytestmark = pytest.mark.slow

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.json"))
CODE = "def handler(context, event):\n    return 'ok'\n"
# What nuclio-jupyter, with which MLRun's server deploys, asks for the first and the second time.
NEW = [
    "GET projects 200", "POST projects 201", "GET functions/told 404", "POST functions 202", "GET functions/told 200",
]  # fmt: skip
AGAIN = ["GET projects 200", "GET functions/told 200", "PUT functions/told 202", "GET functions/told 200"]


@pytest.mark.parametrize("path", GOLDEN, ids=[path.stem for path in GOLDEN])
def test_the_platform_answers_as_the_dashboard(laptop, path):
    for exchange in json.loads(path.read_text()):
        sent, wanted = exchange["send"], exchange["answer"]
        answer = ask(laptop, sent)
        if "until" in exchange:
            laptop.until(lambda: ask(laptop, sent).json["status"]["state"] == exchange["until"], exchange["until"])  # noqa: B023
            answer = ask(laptop, sent)
        assert answer.status == wanted["status"], (sent, answer)
        body = answer.json if answer.body else ""
        assert fits(body, wanted["body"]), (sent, body)


def ask(laptop, sent):
    return laptop.api(sent["method"], sent["path"], sent.get("body"), sent.get("headers"))


def fits(body, wanted):
    """Objects may have more than is wanted where something is wanted of them; {} is empty. A list wants of each."""
    if wanted == "*":
        return body not in ("", None)
    if isinstance(wanted, dict) and wanted:
        return isinstance(body, dict) and all(key in body and fits(body[key], wanted[key]) for key in wanted)
    if isinstance(wanted, list):
        return isinstance(body, list) and body != [] and all(fits(each, wanted[0]) for each in body)
    return body == wanted


def test_the_comparison_sees_what_is_wrong():
    assert fits({"a": 1, "b": [2]}, {"b": ["*"]})
    assert not fits({"a": 1}, {})
    assert not fits({"a": 1}, {"b": "*"})
    assert not fits([], ["*"])
    assert not fits([{"a": 1}, {}], [{"a": 1}])


def test_nuclio_jupyter_sees_what_it_sees_at_nuclio(laptop, monkeypatch):
    asked, send = [], requests.Session.request

    def heard(session, method, url, **more):
        answer = send(session, method, url, **more)
        line = f"{method.upper()} {url.partition('/api/')[2]} {answer.status_code}"
        if asked[-1:] != [line]:  # it polls
            asked.append(line)
        return answer

    monkeypatch.setattr(requests.Session, "request", heard)
    document = nuclio.config.new_config()
    document["spec"]["build"]["functionSourceCode"] = base64.b64encode(CODE.encode()).decode()
    document["spec"]["handler"], document["metadata"]["name"] = "main:handler", "told"
    url = f"http://{laptop.address}"
    address = deploy_config(document, url, name="told", project="words", create_new=True, auth_info=AuthInfo())
    assert asked == NEW
    asked.clear()
    assert deploy_config(document, url, name="told", project="words", auth_info=AuthInfo()) == address
    assert asked == AGAIN
    state, found, last, _ = get_deploy_status(f"{url}/api", "told", auth_info=AuthInfo())
    assert (state, found) == ("ready", address)
    assert last > 0
