"""Whoever looks changes nothing."""

import hashlib

LIVE, SHADOW = "shop/server/a/default/a/v1", "shop/server/a/default/a/v2"
PAGES = ("", "overview", "endpoint", "incident", "compare", "requests", "system")


def contents(home):
    """What every file holds, but for the index of SQLite's log, in which readers mark where they are."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in home.rglob("*")
        if path.is_file() and not path.name.endswith("-shm")
    }


def test_no_page_changes_a_byte_of_the_stores(eventful, queries):
    incident = queries.incidents(LIVE)[0]
    client, before = eventful.client(), contents(eventful.settings.home)
    asked = f"name={LIVE}&id={incident.id}&a={LIVE}&b={SHADOW}"
    for page in PAGES:
        assert client.get(f"/{page}?{asked if page != 'requests' else ''}").status_code == 200
        if page:
            assert client.get(f"/{page}.json?{asked if page != 'requests' else ''}").status_code == 200
    for ending in ("csv", "parquet"):
        assert client.get(f"/incident.{ending}?id={incident.id}").status_code == 200
    assert contents(eventful.settings.home) == before
