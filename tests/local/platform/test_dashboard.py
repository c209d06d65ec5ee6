"""The dashboard's REST, as Nuclio 1.14 answers, and as its own clients use it."""

import base64

import nuclio
import pytest
from nuclio.auth import AuthInfo
from nuclio.deploy import deploy_config, get_deploy_status

pytestmark = pytest.mark.slow

PLAIN = "def handler(context, event):\n    return 'ok'\n"
NOW = {"x-nuclio-wait-function-action": "true"}


def test_functions_are_created_changed_listed_and_deleted_as_in_nuclio(laptop, make_document, send):
    plain = make_document("plain", PLAIN)
    assert laptop.api("GET", "functions").json == {}
    assert laptop.api("GET", "functions/plain").status == 404
    assert laptop.api("GET", "functions/plain").json["error"] == "Function not found"
    created = laptop.api("POST", "functions", plain)
    assert (created.status, created.body) == (202, b"")
    assert laptop.status("plain")["state"] == "building"
    assert laptop.api("PUT", "functions/plain", plain).status == 412
    assert laptop.api("DELETE", "functions", {"metadata": {"name": "plain"}}).status == 412
    laptop.until(lambda: laptop.status("plain")["state"] == "ready", "ready")
    assert laptop.api("POST", "functions", plain).status == 409
    assert laptop.api("PUT", "functions/plain", plain, NOW).status == 202
    shown = laptop.api("GET", "functions").json["plain"]
    assert {"metadata", "spec", "status"} <= set(shown)
    assert shown["metadata"]["labels"] == {"nuclio.io/project-name": "tests"}
    assert laptop.api("GET", "functions", headers={"x-nuclio-project-name": "another"}).json == {}
    told = send(laptop.address, "GET", "/metrics").body.decode()
    assert 'leeway_function_ready{function="plain"} 1.0' in told
    exported = laptop.api("GET", "functions/plain?export=true").json
    assert "status" not in exported
    assert exported["metadata"]["annotations"]["nuclio.io/skip-deploy"] == "true"
    for _ in range(2):
        assert laptop.api("DELETE", "functions", {"metadata": {"name": "plain"}}).status == 204
    assert laptop.api("GET", "functions/plain").status == 404
    assert not (laptop.home / "functions" / "plain").exists()
    assert len(laptop.processes()) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "Expecting"),
        (b"[]", "list"),
        (b'{"spec": {}}', "no metadata"),
        (b'{"metadata": {"name": "../up"}, "spec": {"image": "x"}}', "'../up' is not a function name"),
        (b'{"metadata": {}, "spec": {"image": "x"}}', "None is not a function name"),
        (b'{"metadata": {"name": "x"}, "spec": {}}', "no code"),
    ],
)
def test_a_document_that_is_none_is_refused_with_400(shared_laptop, body, said):
    answer = shared_laptop.api("POST", "functions", body, {"content-type": "application/json"})
    assert answer.status == 400
    assert said in answer.json["error"]


def test_a_function_that_hangs_while_it_is_built_can_be_deleted_by_force(laptop, make_document):
    hanging = make_document("hanging", "import time\ntime.sleep(600)\n")
    assert laptop.api("POST", "functions", hanging).status == 202
    laptop.until(lambda: len(laptop.processes()) == 2, "its worker")
    force = {"x-nuclio-delete-function-ignore-state-validation": "true"}
    assert laptop.api("DELETE", "functions", {"metadata": {"name": "hanging"}}, force).status == 204
    laptop.until(lambda: len(laptop.processes()) == 1, "its end")


def test_a_function_sleeps_and_wakes(laptop):
    port = laptop.deploy("plain", PLAIN)["httpPort"]
    assert laptop.api("PATCH", "functions/plain", {"desiredState": "scaledToZero"}, NOW).status == 202
    assert laptop.status("plain")["state"] == "scaledToZero"
    assert len(laptop.processes()) == 1
    laptop.kill_platform()
    assert laptop.status("plain")["state"] == "scaledToZero", "a new platform lets it sleep"
    assert laptop.api("PATCH", "functions/plain", {"desiredState": "ready"}, NOW).status == 202
    assert laptop.status("plain")["state"] == "ready"
    assert laptop.status("plain")["httpPort"] == port
    assert laptop.api("PATCH", "functions/plain", {"desiredState": "up"}).status == 400
    assert laptop.api("PATCH", "functions/none", {"desiredState": "ready"}).status == 404


def test_projects_are_kept(laptop):
    project = {"metadata": {"name": "elec"}, "spec": {"description": "one"}}
    assert laptop.api("GET", "projects").json == {}
    assert laptop.api("POST", "projects", project).status == 201
    assert laptop.api("POST", "projects", project).status == 409
    project["spec"]["description"] = "two"
    assert laptop.api("PUT", "projects/elec", project).status == 204
    laptop.kill_platform()
    assert laptop.api("GET", "projects/elec").json["spec"] == {"description": "two"}
    assert laptop.api("GET", "projects/none").status == 404
    laptop.deploy("plain", PLAIN)
    assert laptop.api("DELETE", "projects", {"metadata": {"name": "tests"}}).status == 412
    assert laptop.api("DELETE", "projects", {"metadata": {"name": "elec"}}).status == 204
    assert laptop.api("GET", "projects").json == {}


def test_the_small_answers_that_clients_ask_for(laptop):
    assert laptop.api("GET", "external_ip_addresses").json == {"externalIPAddresses": {"addresses": ["127.0.0.1"]}}
    assert laptop.api("GET", "versions").json["dashboard"]["label"] == "leeway"
    assert laptop.api("GET", "api_gateways").json == {}
    assert "need Kubernetes" in laptop.api("POST", "api_gateways", {"metadata": {"name": "x"}}).json["error"]
    laptop.deploy("plain", "print('at import')\n" + PLAIN)
    assert laptop.api("GET", "functions/plain/replicas").json == {"names": ["default-http-0"]}
    assert laptop.api("GET", "functions/plain/logs/default-http-0").body == b"at import\n"
    assert laptop.api("GET", "functions/plain/logs/../../x").status == 404


def test_an_invocation_is_passed_on_and_only_to_the_function(laptop):
    code = """
def handler(context, event):
    return context.Response({"x-saw": event.path}, event.body, status_code=418)
"""
    laptop.deploy("echo", code)
    headers = {"x-nuclio-function-name": "echo", "x-nuclio-path": "some/where", "content-type": "application/octet"}
    answer = laptop.api("POST", "function_invocations", b"\x00\xff", headers)
    assert (answer.status, answer.body, answer.headers["x-saw"]) == (418, b"\x00\xff", "/some/where")
    elsewhere = {**headers, "x-nuclio-invoke-url": laptop.address}
    assert laptop.api("POST", "function_invocations", b"", elsewhere).status == 400


def test_nuclio_jupyter_deploys_and_redeploys(laptop, monkeypatch):
    monkeypatch.delenv("NUCLIO_DASHBOARD_URL", raising=False)
    url = f"http://{laptop.address}"
    config = nuclio.ConfigSpec(env={"WORD": "hello"}).with_http(workers=2)
    document = nuclio.config.new_config()
    config.merge(document)
    code = b"import os\ndef handler(context, event):\n    return os.environ['WORD']\n"
    document["spec"]["build"]["functionSourceCode"] = base64.b64encode(code).decode()
    document["spec"]["handler"] = "main:handler"
    document["metadata"]["name"] = "told"
    address = deploy_config(document, url, name="told", project="words", create_new=True, auth_info=AuthInfo())
    assert laptop.call("told").body == b"hello"
    assert address == laptop.status("told")["externalInvocationUrls"][0]
    assert len(laptop.status("told")["workers"]) == 2
    assert deploy_config(document, url, name="told", project="words", auth_info=AuthInfo()) == address
    state, found, _, _ = get_deploy_status(f"{url}/api", "told", auth_info=AuthInfo())
    assert (state, found) == ("ready", address)
