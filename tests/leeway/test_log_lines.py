"""One line each, for machines and for people."""

import io
import json
import logging

import pytest

from leeway.log_lines import JsonLines, TextLines, formatter, start_logging, text_of
from leeway.settings import Settings


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def lines():
    """Start logging and give back what was written, line by line."""
    logger = logging.getLogger("leeway")
    before = logger.level, list(logger.handlers)

    def start(stream=None, **settings):
        stream = stream or io.StringIO()
        start_logging(Settings(**settings), stream, function="shop/server", worker="0")
        return lambda: stream.getvalue().splitlines()

    yield start
    logger.setLevel(before[0])
    logger.handlers[:] = before[1]


def test_a_line_is_one_json_object_whatever_is_in_it(lines):
    written = lines()
    about = {"deployment": "elec", "request_id": "a\nb", "trace_id": "", "odd": object}
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("leeway.serving").exception("it\nfailed \u00e9", extra={"with": about})
    (line,) = written()
    found = json.loads(line)
    assert (found["function"], found["deployment"], found["request_id"]) == ("shop/server", "elec", "a\nb")
    assert found["level"] == "error" and found["message"] == "it\nfailed é" and "trace_id" not in found
    assert found["error"].endswith("ValueError: two\nlines") and found["time"].endswith("+00:00")


def test_a_terminal_gets_text(lines):
    written = lines(Terminal())
    logging.getLogger("leeway.forwarder").warning("the stream is away")
    (line,) = written()
    assert line.endswith("warning: the stream is away (function=shop/server worker=0)")


@pytest.mark.parametrize(
    ("stream", "form", "kind"),
    [
        (Terminal, "auto", TextLines), (io.StringIO, "auto", JsonLines), (Terminal, "json", JsonLines),
        (io.StringIO, "text", TextLines),
    ],
)  # fmt: skip
def test_the_setting_decides_over_the_stream(stream, form, kind):
    assert type(formatter(stream(), form)) is kind


def test_the_level_is_a_setting_and_a_second_start_replaces_the_first(lines):
    first, second = lines(log_level="debug"), lines(log_level="error")
    logging.getLogger("leeway.x").warning("no")
    logging.getLogger("leeway.x").error("yes")
    assert first() == [] and len(second()) == 1


@pytest.mark.parametrize("line", ["plain", '{"a": 1}', "{broken", "", '{"time": 1, "level": "info"}', "[1]"])
def test_other_lines_stay_as_they_are(line):
    assert text_of(line) == line
