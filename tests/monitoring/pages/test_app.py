"""Pages, their JSON, downloads and the decision, over ASGI."""

import io

import pyarrow.csv
import pyarrow.parquet
import pytest

from leeway.record import NodeAnswer
from monitoring.packing import pack, unpack
from monitoring.pages.span import Span
from monitoring.projection import ENDPOINT

LIVE, SHADOW = "shop/server/a/default/a/v1", "shop/server/a/default/a/v2"
PAGES = ["", "endpoint?name={live}", "incident?id={incident}", "compare", "compare?a={live}&b={shadow}", "requests",
         "requests?id=run-00700", "requests?id=nobody", "requests?failed=1", "system"]  # fmt: skip


@pytest.fixture
def client(eventful):
    return eventful.client()


@pytest.fixture
def incident(queries):
    """The data-drift incident."""
    return next(each for each in queries.incidents(LIVE) if each.detector == "data_drift")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_answers_as_html_and_as_json_and_knows_when_nothing_is_new(client, incident, page):
    path = "/" + page.format(live=LIVE, shadow=SHADOW, incident=incident.id)
    answer = client.get(path)
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/html")
    assert client.get(path, headers={"if-none-match": answer.headers["etag"]}).status_code == 304
    name, _, query = path.lstrip("/").partition("?")
    live = client.get(f"/{name or 'overview'}.json?{query}")
    assert set(live.json()) == {"main", "charts"}
    for chart in live.json()["charts"].values():
        assert all(len(line["values"]) <= 1_000 for line in chart["lines"])
    assert len(answer.content) + len(live.content) < 200_000


def test_an_incident_says_what_was_deployed_and_what_alarmed_in_the_hour_before(client, incident):
    text = client.get(f"/incident?id={incident.id}").text
    assert "version v1 answered for the first time" in text
    assert f"concept drift alarm on {LIVE}" in text


def test_what_is_committed_shows_at_the_next_poll(eventful, client):
    before = client.get("/requests.json")
    eventful.maker.predict("a", "just-now")
    eventful.take()
    eventful.clock.advance(1.6)  # for which an answer may stand
    after = client.get("/requests.json", headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert "just-now" in after.json()["main"] and "just-now" not in before.json()["main"]


def test_pages_of_an_empty_home_say_what_to_do(world):
    client = world.client()
    assert "make demo" in client.get("/").text
    assert "Choose a longer time" in client.get("/requests").text
    assert "not two endpoints" in client.get("/compare").text
    assert "concept_drift" in client.get("/system").text and "leeway up" in client.get("/system").text


@pytest.mark.parametrize(
    ("path", "status"),
    [("/endpoint?name=nobody", 404), ("/incident?id=none", 404), ("/?range=3", 400), ("/incident.csv?id=none", 404),
     ("/static/nothing.js", 404), ("/compare?a=x&b=y", 404), ("/nothing", 404)],
)  # fmt: skip
def test_what_is_not_there_is_said_in_words(client, path, status):
    answer = client.get(path)
    assert answer.status_code == status
    assert "Traceback" not in answer.text and '<p class="empty">' in answer.text


def test_rows_are_paged_and_sorted(client, incident):
    page = client.get(f"/incident?id={incident.id}&sort=x_price&order=desc").text
    assert 'aria-sort="descending"' in page and "page 1 of 4" in page
    last = client.get(f"/incident?id={incident.id}&page=99").text
    assert "page 4 of 4" in last
    assert "page 1 of 4" in client.get(f"/incident?id={incident.id}&page=x&sort=nothing").text


def test_rows_are_downloaded_as_parquet_and_csv(client, incident):
    given = client.get(f"/incident.parquet?id={incident.id}")
    assert "attachment" in given.headers["content-disposition"]
    parquet = pyarrow.parquet.read_table(io.BytesIO(given.content))
    csv = pyarrow.csv.read_csv(io.BytesIO(client.get(f"/incident.csv?id={incident.id}").content))
    assert parquet.num_rows == csv.num_rows == incident.opened.rows
    assert parquet["x_demand"].to_pylist() == csv["x_demand"].to_pylist()
    assert parquet["id"].to_pylist() == csv["id"].to_pylist()


def test_a_request_shows_both_answers_and_its_truth(client):
    page = client.get("/requests?id=run-00900").text
    assert LIVE in page and SHADOW in page and "joined" in page and "demand" in page


def test_a_request_shows_what_each_node_said_and_its_trace(eventful, client):
    nodes = [NodeAnswer("one", [0.25], 120), NodeAnswer("two", [], 80, "ValueError: no"), NodeAnswer("mean")]
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    eventful.maker.predict("a", "by-graph", nodes=nodes, trace=f"00-{trace}-00f067aa0ba902b7-01", arm="main")
    eventful.take()
    page = client.get("/requests.json?id=by-graph").json()["main"]
    places = [page.index(f'<th scope="row">{each.name}</th>') for each in nodes]
    assert places == sorted(places)
    assert "[0.25]" in page and "ValueError: no" in page and trace in page and "<dd>main</dd>" in page


def test_an_endpoint_that_is_not_watched_is_first_and_says_why(eventful, client):
    key = ENDPOINT + LIVE
    shared = eventful.reader.shared
    watched = unpack(shared.get(key)) | {
        "state": "troubled",
        "trouble": {"reason": "ValueError: <no>", "since": [0, 7, 0]},
    }
    shared.commit({key: pack(watched)})
    overview, page = client.get("/").text, client.get(f"/endpoint?name={LIVE}").text
    assert "troubled: ValueError: &lt;no&gt;" in overview
    assert overview.index("troubled: ") < overview.index("watching")
    assert "It is not watched since position 0-7-0: ValueError: &lt;no&gt;. Its records are archived" in page


def test_the_search_finds_what_failed_of_one_endpoint_only(client):
    page = client.get(f"/requests.json?failed=1&endpoint={LIVE}").json()["main"]
    assert page.count('<tr><td data-label="request">') == 10 and "ValueError: no" in page
    assert "No request matches" in client.get(f"/requests.json?failed=1&endpoint={SHADOW}").json()["main"]


def test_the_search_finds_a_word_of_an_error(client):
    assert client.get("/requests.json?error=valueerror").json()["main"].count('<tr><td data-label="request">') == 10
    assert "No request matches" in client.get("/requests.json?error=KeyError").json()["main"]


def test_the_search_goes_back_to_where_the_time_begins(client, eventful):
    asked = {"from": str(eventful.span.start), "to": str(eventful.maker.appended - 50)}
    found = client.get(f"/requests.json?failed=1&from={asked['from']}&to={asked['to']}").json()["main"]
    end = Span.of(asked, 0).end
    archived = eventful.reader.archive.read("prediction").to_pylist()
    then = [row["id"] for row in archived if row["error"] and row["appended"] < end]
    assert (
        0 < len(then) < 10
        and found.count('<tr><td data-label="request">') == len(then)
        and all(id in found for id in then)
    )


def test_versions_are_told_apart_by_their_share(client, eventful):
    page = client.get(f"/endpoint.json?name={LIVE}").json()["main"]
    row = page.partition(f">{SHADOW}</a>")[2].partition("</tr>")[0]
    assert '<td class="n">400</td><td class="n">24.8 %</td>' in row and "compare?a=" in row


def test_a_shadow_and_its_live_model_are_compared_row_by_row(client, eventful):
    page = client.get(f"/compare?a={LIVE}&b={SHADOW}").text
    archived = eventful.reader.archive.read("prediction").to_pylist()
    said = {
        name: {row["id"]: row["output"] for row in archived if row["endpoint_id"] == name} for name in (LIVE, SHADOW)
    }
    differ = [id for id, output in said[SHADOW].items() if output != said[LIVE][id]]
    assert differ and all(id in page for id in differ[:50])
    assert page.count('href="requests?id=') == min(len(differ), 50)


def decision(client, incident, **changed):
    client.get(f"/incident?id={incident.id}")
    form = client.cookies.get("leeway-form")
    given = {"id": incident.id, "decision": "confirm", "note": "the mill moved", "form": form, **changed}
    headers = given.pop("headers", {"origin": client.base_url})
    return client.post("/incident", data=given, headers=headers)


def test_a_person_confirms_with_the_form_of_the_page(eventful, client, incident):
    page = client.get(f"/incident?id={incident.id}").text
    assert f'name="form" value="{client.cookies.get("leeway-form")}"' in page
    answer = decision(client, incident)
    assert answer.status_code == 303 and answer.headers["location"].endswith("decided=confirm")
    assert eventful.decided == [(incident.id, "confirm", "the mill moved")]


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"form": "another"}, 403), ({"headers": {}}, 403), ({"headers": {"origin": "http://evil.example"}}, 403),
        ({"headers": {"origin": "http://127.0.0.1:8000", "sec-fetch-site": "cross-site"}}, 403),
        ({"decision": "explode"}, 400), ({"id": "none"}, 404),
    ],
)  # fmt: skip
def test_no_other_page_and_no_other_word_decides(eventful, client, incident, changed, status):
    assert decision(client, incident, **changed).status_code == status
    assert eventful.decided == []


@pytest.mark.parametrize(
    ("token", "given", "status"), [("", "", 403), ("s3cret", "wrong", 403), ("s3cret", "s3cret", 303)]
)
def test_over_the_network_a_decision_needs_the_token(eventful, incident, token, given, status):
    client = eventful.client(base_url="http://drift.example", dashboard_hosts="drift.example", dashboard_token=token)
    assert decision(client, incident, token=given).status_code == status
    assert len(eventful.decided) == (status == 303)


def test_in_a_pod_nobody_is_at_the_machine(eventful, incident):
    client = eventful.client(kubernetes_service_host="10.0.0.1", dashboard_hosts="127.0.0.1:8000")
    assert decision(client, incident).status_code == 403
    assert eventful.decided == []


def test_the_token_is_never_shown(eventful):
    client = eventful.client(dashboard_token="s3cret")
    assert "s3cret" not in client.get("/system").text
    assert "s3cret" not in repr(client.app)
