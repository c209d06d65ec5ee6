"""`leeway truth` sends each request's truth once, and says what was refused."""

import json

import pytest

pytestmark = pytest.mark.slow

SERVER = """
import json

def handler(context, event):
    body = event.body
    if body["id"] == "unknown":
        return context.Response(body='{"error": "no such id"}', status_code=404, content_type="application/json")
    with open(LOG, "a") as file:
        file.write(json.dumps([event.path, body]) + "\\n")
    return context.Response(body="{}", content_type="application/json")
"""


@pytest.fixture
def posted(deploy, tmp_path):
    """What the server of deployment `elec` was sent."""
    log = tmp_path / "posted.jsonl"
    deploy(
        "server", f"LOG = {str(log)!r}\n{SERVER}", env={"SERVING_MODEL_elec": "m.pkl", "SERVING_MODEL_HASH_elec": "0"}
    )
    return lambda: [json.loads(line) for line in log.read_text().splitlines()]


def test_rows_of_one_request_travel_together_and_numbers_are_numbers(leeway, ok, posted, write):
    file = write("t.csv", "id,row,truth\na,0,1\na,1,0.5\nb,0,UP\na,2,1\n")
    found = ok(leeway("truth", "elec", file, "--json"))
    assert (found["requests"], found["accepted"]) == (3, 3)
    assert posted() == [
        ["/elec/feedback", {"id": "a", "rows": [0, 1], "truth": [1, 0.5]}],
        ["/elec/feedback", {"id": "b", "rows": [0], "truth": ["UP"]}],
        ["/elec/feedback", {"id": "a", "rows": [2], "truth": [1]}],
    ]


def test_without_a_column_row_each_line_is_a_request(leeway, posted, write):
    result = leeway("truth", "tests/server/elec", write("t.csv", "truth,id\n1,a\n0,a\n"))
    assert result.exit_code == 0, result.output
    assert [body["truth"] for _, body in posted()] == [[1], [0]]
    assert "2 of 2 requests got their truth" in result.stdout


def test_refused_lines_are_named_and_the_others_still_sent(leeway, posted, write):
    result = leeway("truth", "elec", write("t.csv", "id,truth\na,1\nunknown,1\nb,0\n"))
    assert result.exit_code == 1
    assert "line 3: 404 no such id" in result.stdout
    assert "1 of 3 were refused" in result.stderr
    assert len(posted()) == 2


@pytest.mark.parametrize(
    "text, reason",
    [
        ("id,label\na,1\n", "has no column truth; it has ['id', 'label']"),
        ("id,row,truth\na,first,1\n", "line 2: row is 'first'; expected a whole number from 0"),
    ],
)
def test_a_table_that_is_wrong_is_refused_before_anything_is_sent(leeway, posted, write, text, reason):
    result = leeway("truth", "elec", write("t.csv", text))
    assert result.exit_code == 1
    assert reason in result.stderr


def test_an_unknown_deployment_is_refused_with_those_that_are_there(leeway, posted, write):
    result = leeway("truth", "elex", write("t.csv", "id,truth\na,1\n"))
    assert "no deployment 'elex' is served here; there are: elec" in result.stderr
