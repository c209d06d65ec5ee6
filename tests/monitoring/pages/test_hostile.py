"""Names that want to be more than names, and callers who want to be somebody else."""

import re
from html.parser import HTMLParser

import pytest

EVIL = '<img src=x onerror="alert(1)">'
ENDPOINT = f"shop/server/{EVIL}/default/m/v1"
SCRIPT = "</script><script>alert(1)</script>"


class Tags(HTMLParser):
    """The tags and the attributes of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes


@pytest.fixture
def hostile(world, profile_bytes):
    """A deployment, features, ids, errors, labels and truth with HTML in their names."""
    world.reader.shared.commit({f"profile/{ENDPOINT}": profile_bytes})
    maker = world.maker
    for i in range(450):
        far = 5.0 if i >= 200 else 0.0
        maker.append(
            maker.prediction(
                EVIL, f"{SCRIPT}{i}", [[maker.random.random(), maker.random.random() + far, 0.5]],
                endpoint_id=ENDPOINT, features=["price", "demand", "region"], labels={SCRIPT: EVIL}, model=EVIL,
                error=f"ValueError: {EVIL}" if i % 50 == 0 else None,
            )
        )  # fmt: skip
        maker.truth(EVIL, f"{SCRIPT}{i}", [SCRIPT])
        maker.appended += i % 30 == 0
    maker.raw(f'{{"id": "{SCRIPT}"'.encode(), EVIL)
    world.take()
    return world


def paths(world):
    from urllib.parse import quote

    incident = world.source().incidents()[0]
    name = quote(ENDPOINT, safe="")
    return ["/", f"/endpoint?name={name}", f"/incident?id={incident.id}", "/requests", f"/compare?a={name}&b={name}",
            f"/requests?id={quote(SCRIPT + '7', safe='')}", "/system", f"/requests?model={quote(EVIL)}",
            f"/endpoint?name={quote(SCRIPT)}", f"/?range={quote(SCRIPT)}", f"/nothing/{quote(EVIL)}"]  # fmt: skip


def test_names_are_text_on_every_page_and_in_its_json(hostile):
    client = hostile.client()
    for path in paths(hostile):
        answer = client.get(path)
        parts = [answer.text]
        page, _, query = path.lstrip("/").partition("?")
        live = client.get(f"/{page or 'overview'}.json?{query}")
        parts += [live.json()["main"]] if live.headers["content-type"] == "application/json" else []
        for part in parts:
            found = Tags(part)
            assert "img" not in found.tags and "iframe" not in found.tags, path
            assert found.tags.count("script") in (0, 2), path
            assert [name for name, _ in found.attributes if name.startswith("on") or name == "style"] == [], path


def test_links_lead_to_pages_of_the_dashboard_only(hostile):
    client = hostile.client()
    for path in paths(hostile):
        links = [value for name, value in Tags(client.get(path).text).attributes if name in ("href", "src", "action")]
        for link in links:
            assert re.match(r"(\./|#|\?|static/|overview|endpoint|incident|compare|requests|system)", link), link


def test_every_answer_forbids_what_a_page_does_not_need(hostile):
    client = hostile.client()
    for path in [*paths(hostile), "/static/app.js", "/overview.json"]:
        headers = client.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


def test_text_that_a_spreadsheet_would_run_begins_with_an_apostrophe(world):
    for i in range(300):
        far = 5.0 if i >= 200 else 0.0
        world.maker.predict("a", f"=cmd|{i}", [[world.maker.random.random(), world.maker.random.random() + far, 0.5]])
    for i in range(300, 400):
        world.maker.predict("a", f"=cmd|{i}", [[world.maker.random.random(), world.maker.random.random() + 5, 0.5]])
    world.take()
    incident = world.source().incidents()[0]
    text = world.client().get(f"/incident.csv?id={incident.id}").text
    assert "'=cmd|" in text and '"=cmd|' not in text and ",=cmd|" not in text


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/..%2Fapp.py", "/static/%2e%2e%2fapp.py", "/static//etc/passwd",
     "/static/..\\app.py", "/../../etc/passwd", "/static/"],
)  # fmt: skip
def test_only_files_of_the_page_are_given_out(world, path):
    assert world.client().get(path).status_code == 404


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "evil.example:8000", "127.0.0.1@evil.example"]
)
def test_another_host_is_refused(world, host):
    answer = world.client().get("/", headers={"host": host})
    assert answer.status_code == 403 and "LEEWAY_DASHBOARD_HOSTS" in answer.text


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9", "https://127.0.0.1.evil.example"]
)
def test_another_origin_is_refused(world, origin):
    assert world.client().get("/overview.json", headers={"origin": origin}).status_code == 403


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000", "drift.example", "drift.example:8443"]
)
def test_this_machine_and_the_hosts_that_were_named_are_not(world, host):
    client = world.client(dashboard_hosts="other.example, drift.example")
    assert client.get("/", headers={"host": host, "origin": f"http://{host}"}).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(world, method):
    assert world.client().request(method, "/").status_code == 405


def test_passwords_in_the_urls_of_stores_are_not_shown(world):
    client = world.client(archive="file:///tmp", stream="kafka://me:s3cret@broker/x?password=s3cret")
    assert "s3cret" not in client.get("/system").text
