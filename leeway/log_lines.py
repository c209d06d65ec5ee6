"""Log lines: one JSON object each where a machine reads them, text on a terminal."""

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from .log_context import underway
from .settings import Settings

LOGGER, _HANDLER = "leeway", "leeway-lines"


class JsonLines(logging.Formatter):
    """{time, level, message, function, ..., error}: `bound` stands in each line, the request that the thread is at in
    those that are logged meanwhile, and what a call passes as `extra={"with": {...}}` in its own."""

    def __init__(self, **bound: Any):
        super().__init__()
        self._bound = bound

    def format(self, record: logging.LogRecord) -> str:
        fields = {**self._bound, **underway(), **getattr(record, "with", {})}
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **{name: value for name, value in fields.items() if value not in (None, "")},
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class TextLines(JsonLines):
    """The same for people."""

    def format(self, record: logging.LogRecord) -> str:
        return text_of(super().format(record))


def text_of(line: str) -> str:
    """A JSON line as text; any other line as it is.

    >>> text_of('{"time": "2026-11-24T12:00:00", "level": "info", "message": "ready", "worker": "0"}')
    '2026-11-24T12:00:00 info: ready (worker=0)'
    """
    try:
        found = json.loads(line) if line.startswith("{") else None
    except ValueError:
        found = None
    if not isinstance(found, Mapping) or not {"time", "level", "message"} <= found.keys():
        return line
    rest = {name: value for name, value in found.items() if name not in ("time", "level", "message", "error")}
    about = f" ({' '.join(f'{name}={value}' for name, value in rest.items())})" if rest else ""
    error = f"\n{found['error']}" if "error" in found else ""
    return f"{found['time']} {found['level']}: {found['message']}{about}{error}"


def formatter(stream: TextIO, form: str = "auto", **bound: Any) -> logging.Formatter:
    """For a stream: text where it is a terminal, unless `form` (json or text) says otherwise."""
    is_text = form == "text" or (form == "auto" and stream.isatty())
    return (TextLines if is_text else JsonLines)(**bound)


def start_logging(settings: Settings, stream: TextIO | None = None, **bound: Any) -> None:
    """Let what Leeway logs in this process go to `stream` (standard output unless given); a second call replaces the
    first."""
    logger = logging.getLogger(LOGGER)
    for known in [handler for handler in logger.handlers if handler.name == _HANDLER]:
        logger.removeHandler(known)
    handler = _Stdout() if stream is None else logging.StreamHandler(stream)
    handler.name = _HANDLER
    handler.setFormatter(formatter(stream or sys.stdout, settings.log_form, **bound))
    logger.addHandler(handler)
    logger.setLevel(settings.log_level.upper())


class _Stdout(logging.StreamHandler):
    """To what standard output is when a line is written."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stdout
