"""What the overview says of each endpoint and of what keeps them up."""

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from leeway.backends import connect
from monitoring.packing import pack, unpack
from monitoring.pages.plumbing import RecordPath, plumbing
from monitoring.pages.sparklines import HEIGHT, POINTS, sparklines
from monitoring.pages.standing import standings
from monitoring.projection import ENDPOINT

LIVE, SHADOW = "shop/server/a/default/a/v1", "shop/server/a/default/a/v2"


@pytest.fixture
def platform():
    """A platform: the URL, and {function: what it says of it}."""
    functions = {}

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps(functions).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", functions
    server.shutdown()
    server.server_close()


def state_of(page, kind):
    """The words of a kind of drift, endpoint by endpoint."""
    cells = re.findall(rf'<td data-label="{kind}">(.*?)</td>', page, re.DOTALL)
    return [" ".join(re.sub("<[^>]*>", " ", cell).split()) for cell in cells]


def test_functions_that_do_not_serve_are_said_first(eventful, platform):
    url, functions = platform
    functions |= {
        "drift": {"status": {"state": "unhealthy", "message": "worker 0 ended <3 times>"}},
        "server": {"status": {"state": "ready"}},
        "idle": {"status": {"state": "scaledToZero"}},
    }
    client = eventful.client(dashboard_platform=url)
    page = client.get("/").text
    assert "1 of 3 functions does not serve:" in page and "(worker 0 ended &lt;3 times&gt;)" in page
    assert page.index("functions does not serve") < page.index("endpoints need a look")
    functions["drift"]["status"] = {"state": "ready"}
    eventful.clock.advance(6)
    page = client.get("/").text
    assert "not serve:" not in page and ">3 of 3</a>" in page


def test_a_platform_that_does_not_answer_is_not_taken_for_one_without_functions(eventful):
    page = eventful.client(dashboard_platform="http://127.0.0.1:9").get("/").text
    assert "not known" in page and "not serve" not in page


def test_drift_is_a_state_and_since_when(eventful, queries):
    page = eventful.client().get("/").text
    opened = {incident.detector: incident.opened.appended for incident in queries.incidents(LIVE)}
    source = eventful.source()
    found = {each.endpoint: each for each in standings(source, eventful.span)}
    assert found[LIVE].concept.since == opened["concept_drift"] and found[LIVE].data.since == opened["data_drift"]
    assert all(
        text.startswith("open since ") for text in (state_of(page, "concept drift")[0], state_of(page, "data drift")[0])
    )
    assert found[SHADOW].data.is_open


@pytest.mark.parametrize(
    ("state", "concept", "data"),
    [
        ("no profile", "not watched no profile", "not watched no profile"),
        ("warming", "warming up the first labelled rows set its level", "none never an alarm"),
        ("watching", "none never an alarm", "none never an alarm"),
        ("troubled", "not watched", "not watched"),
    ],
)
def test_what_is_not_watched_is_not_called_quiet(world, state, concept, data):
    draw = world.maker.random
    for i in range(250):
        world.maker.predict("a", f"r{i}", [[draw.random() for _ in range(3)]])
        world.maker.truth("a", f"r{i}", [1])
    world.take()
    key, shared = ENDPOINT + LIVE, world.reader.shared
    shared.commit({key: pack(unpack(shared.get(key)) | {"state": state})})
    with_incidents = [incident for incident in world.source().incidents() if incident.kind == "concept_drift"]
    for incident in with_incidents:
        shared.commit(deletes=[f"monitoring/incident/{incident.id}"])
    page = world.client().get("/").text
    assert (state_of(page, "concept drift"), state_of(page, "data drift")) == ([concept], [data])


def test_without_truth_and_without_a_window_nothing_is_known(world):
    world.maker.predict("a", "one", [[0.1, 0.2, 0.3]])
    world.take()
    page = world.client().get("/").text
    assert state_of(page, "concept drift") == ["not known no truth came in this time"]
    assert state_of(page, "data drift") == ["not known no window ended in this time"]


def test_a_cleared_incident_says_since_when_it_is_quiet(world):
    draw = world.maker.random
    for i in range(1_000):
        far = 3.0 if 200 <= i < 400 else 0.0
        world.maker.appended += i % 20 == 0
        world.maker.predict("a", f"r{i}", [[draw.random(), draw.random() + far, draw.random()]])
    world.take()
    source = world.source()
    (incident,) = source.incidents()
    (found,) = standings(source, world.span)
    assert (incident.state, found.data.word, found.data.tone) == ("cleared", "none", "good")
    assert found.data.since == source.closed_at(incident, "shop/server/a") > incident.opened.appended


def test_every_number_has_a_line(eventful):
    page = eventful.client().get("/").text
    for cell in ("requests/s", "p50 / p95 / p99 ms", "failed", "labelled", "error rate"):
        drawn = re.findall(rf'<td class="n[^"]*" data-label="{cell}">.*?<path d="M[^"]+"/>.*?</td>', page, re.DOTALL)
        assert len(drawn) == 2, cell


def test_lines_go_as_the_series_do(eventful):
    source, span = eventful.source(), eventful.span
    lines = sparklines(source, span, LIVE, 0.1)
    places = re.findall(r"[ML](\d+),(\d+)", lines.requests)
    assert len(places) == POINTS
    asked = [0] * POINTS
    for point in source.points("requests", LIVE, span):
        asked[(point.bucket - span.start) * POINTS // span.seconds] += point.count
    assert [int(y) == HEIGHT - 1 for _, y in places] == [n == 0 for n in asked]
    assert min(range(POINTS), key=lambda i: int(places[i][1])) == asked.index(max(asked))
    assert 0 < lines.level < HEIGHT


def test_each_deployment_has_a_record_path_of_its_own(eventful):
    eventful.maker.predict("b", "not-taken-yet")
    stream = connect.stream("s", eventful.settings, eventful.clock)
    stream.append([(message.key, message.value) for message in eventful.maker.messages])
    stream.close()
    found = plumbing(eventful.source())
    assert found.path("shop/server/a") == RecordPath(waiting=1, outbox_bytes=0, dead_letters=1, missed=0)
    assert found.path("shop/server/unheard-of") == RecordPath()
    page = eventful.client().get("/").text
    assert page.count("1 waits<span") == 2 and page.count("1 dead letter</span>") == 2
