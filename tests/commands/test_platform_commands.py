"""up, status, logs, invoke and down, on a real platform."""

import pytest

from leeway.commands.logs import Tail

pytestmark = pytest.mark.slow


def test_status_of_an_empty_home_creates_nothing(leeway, ok, home):
    found = ok(leeway("status", "--json"))
    assert found["url"] is None
    assert found["functions"] == {}
    assert not home.exists()
    assert "stopped" in leeway("status").stdout


def test_up_starts_the_platform_and_down_stops_it_and_brings_functions_back(leeway, ok, deploy):
    name = deploy()
    assert ok(leeway("status", "--json"))["functions"][name]["state"] == "ready"
    stopped = ok(leeway("down", "--json"))["stopped"]
    assert len(stopped) == 2
    assert ok(leeway("status", "--json"))["functions"][name]["state"] == "stopped"
    up = ok(leeway("up", "--json"))
    assert up["functions"] == ["leeway-dashboard", name]
    assert up["dashboard"].startswith("http://127.0.0.1:")
    assert ok(leeway("invoke", "echo", "again", "--json"))["body"]["path"] == "/again"


def test_down_without_anything_running_is_no_error(leeway, ok):
    assert ok(leeway("down", "--json")) == {"stopped": []}
    assert leeway("down").stdout == "nothing was running\n"


def test_status_shows_each_worker_and_address(leeway, deploy):
    deploy()
    text = leeway("status").stdout
    assert "function  tests-echo: ready" in text
    assert "http://127.0.0.1:" in text
    assert "pid " in text


def test_invoke_gets_without_a_body_and_posts_with_one(leeway, ok, deploy, write):
    deploy()
    assert ok(leeway("invoke", "tests-echo", "a/b", "--json"))["body"] == {"path": "/a/b", "method": "GET", "body": ""}
    posted = ok(leeway("invoke", "echo", "/x", '{"n": 1}', "--json"))
    assert posted == {"status": 200, "id": "one", "body": {"path": "/x", "method": "POST", "body": {"n": 1}}}
    body = write("body.json", '{"n": 2}')
    assert '"n": 2' in leeway("invoke", "echo", "/x", f"@{body}").stdout
    assert '"n": 3' in leeway("invoke", "echo", "/x", "-", input='{"n": 3}').stdout
    assert '"PUT"' in leeway("invoke", "echo", "/x", "-X", "PUT").stdout


def test_invoke_prints_an_error_answer_and_fails(leeway, deploy):
    deploy()
    result = leeway("invoke", "echo", "fail")
    assert result.exit_code == 1
    assert result.stdout == '{"error": "told to fail"}\n'
    assert "answered 422" in result.stderr


def test_a_function_is_found_by_its_short_name_only_while_that_is_clear(leeway, deploy):
    deploy()
    deploy(project="other")
    result = leeway("invoke", "echo", "x")
    assert result.exit_code == 1
    assert "in several projects: give one of other-echo, tests-echo" in result.stderr
    assert "there are: other-echo, tests-echo" in leeway("logs", "nobody").stderr


def test_a_function_that_does_not_run_says_so(leeway, deploy):
    deploy()
    leeway("down")
    assert "function tests-echo is stopped: `leeway up`" in leeway("invoke", "echo", "x").stderr


def test_logs_show_the_last_lines(leeway, ok, deploy):
    deploy()
    for path in ("one", "two"):
        leeway("invoke", "echo", path)
    lines = ok(leeway("logs", "echo", "-n", "1", "--json"))["default-http-0"]
    assert len(lines) == 1
    assert "got GET /two" in lines[0]
    assert leeway("logs", "echo", "-n", "1").stdout == f"default-http-0: {lines[0]}\n"


def test_a_followed_log_gives_each_line_once_and_starts_again_where_it_was_cut(write):
    path = write("w.log", "a\nb\nhalf")
    tail = Tail(path)
    assert tail.last(2) == ["b", "half"]
    with path.open("a") as file:
        file.write("c\nd\npart")
    assert list(tail.more()) == ["c", "d"]
    with path.open("a") as file:
        file.write("ial\n")
    assert list(tail.more()) == ["partial"]
    path.write_text("new\n")
    assert list(tail.more()) == ["new"]


@pytest.mark.parametrize("lines, wanted", [(0, []), (1, ["9999"]), (3, ["9997", "9998", "9999"])])
def test_the_last_lines_of_a_large_log_are_found(write, lines, wanted):
    path = write("w.log", "".join(f"{i}\n" for i in range(10_000)) * 10)
    assert Tail(path).last(lines) == wanted
    assert len(Tail(path).last(1_000_000)) == 100_000


def test_two_homes_do_not_meet(leeway, ok, deploy, tmp_path):
    deploy()
    elsewhere = ok(leeway("status", "--json", env={"LEEWAY_HOME": str(tmp_path / "other")}))
    assert elsewhere["functions"] == {}
    ok(leeway("down", "--json", env={"LEEWAY_HOME": str(tmp_path / "other")}))
    assert ok(leeway("invoke", "echo", "x", "--json"))["status"] == 200
