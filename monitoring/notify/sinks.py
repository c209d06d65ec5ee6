"""Where messages go: each sink says how several notices look there in one request."""

import http.client
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from leeway.errors import LeewayError, SettingError
from leeway.settings import Settings

from .notice import Notice

_PATIENCE_S = 5.0
_MOST = 20  # notices in one message
_SIGNS = (":large_green_circle:", ":red_circle:")
_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class SinkError(LeewayError):
    """A message was not taken. It never holds the address: that of a chat is a secret."""


class Sink(ABC):
    """One address. `name` is told apart from others', and stays when the process restarts."""

    def __init__(self, name: str, url: str, method: str = "POST", headers: Mapping[str, str] | None = None):
        if urlsplit(url).scheme not in ("http", "https"):
            raise SettingError(f"the sink {name!r} of notifications has no http or https URL")
        self.name, self._url, self._method, self._headers = name, url, method, dict(headers or {})

    @abstractmethod
    def body(self, notices: Sequence[Notice], link: str) -> Any:
        """What is sent as JSON; `link` is the dashboard's URL, or empty."""

    def send(self, notices: Sequence[Notice], link: str) -> None:
        """All of them in one request; SinkError where it was not taken."""
        headers = {"content-type": "application/json", "user-agent": "leeway", **self._headers}
        data = json.dumps(self.body(notices, link)).encode()
        request = Request(self._url, data, headers, method=self._method)
        try:
            with build_opener(_NoRedirect).open(request, timeout=_PATIENCE_S) as answer:
                answer.read(1_000)
        except (OSError, ValueError, http.client.HTTPException) as error:
            said = f"HTTP {error.code}" if hasattr(error, "code") else type(error).__name__
            raise SinkError(f"notifications to {self.name}: {said}; it is tried again later") from None


class Webhook(Sink):
    """{text, notices: [{key, state, title, text, url, ...details}]}; key and state together are never told twice
    unless an answer was lost, so a receiver can tell doubles by them."""

    def body(self, notices: Sequence[Notice], link: str) -> Any:
        told = [
            {"key": each.key, "state": each.state, "title": each.title, "text": each.text, "url": _url(each, link),
             **each.details}
            for each in notices
        ]  # fmt: skip
        return {"text": _plain(notices), "notices": told}


class Slack(Sink):
    """What Slack's incoming webhooks take, and Mattermost, Rocket.Chat and others with them."""

    def body(self, notices: Sequence[Notice], link: str) -> Any:
        lines = [f"{_SIGNS[each.begins]} {_linked(each, link)}" for each in notices]
        shown = lines[:_MOST] + ([f"and {len(lines) - _MOST} more"] if len(lines) > _MOST else [])
        return {"text": _plain(notices).translate(_ESCAPED), "blocks": [_section(line) for line in shown]}


class MlrunWebhook(Sink):
    """What MLRun's own webhook notification sends of an alert."""

    def __init__(self, *given: Any, override_body: Any = None, **options: Any):
        super().__init__(*given, **options)
        self._override = override_body

    def body(self, notices: Sequence[Notice], link: str) -> Any:
        if self._override:
            return self._override
        first = notices[0]
        return {
            "message": _plain(notices),
            "severity": "high" if any(each.begins for each in notices) else "low",
            "name": first.title,
            "project": first.about.partition("/")[0],
            "summary": "\n".join(filter(None, (f"{each.text} {_url(each, link)}".strip() for each in notices))),
            "value": {each.key: each.details for each in notices},
            "id": first.about,
        }


def sinks_of(settings: Settings) -> list[Sink]:
    """Those that the settings name; SettingError for what cannot be one."""
    found: list[Sink] = []
    if settings.notify_webhook:
        found.append(Webhook("webhook", settings.notify_webhook))
    if settings.notify_slack:
        found.append(Slack("slack", settings.notify_slack))
    return found + [_of_mlrun(i, each) for i, each in enumerate(_notifications(settings.notify_mlrun))]


def _notifications(text: str) -> list[Any]:
    try:
        found = json.loads(text or "[]")
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise SettingError(f"LEEWAY_NOTIFY_MLRUN: expected a JSON list of MLRun notifications, as in {_EXAMPLE}")
    return found


_EXAMPLE = '[{"kind": "slack", "params": {"webhook": "https://..."}}]'


def _of_mlrun(number: int, given: Mapping[str, Any]) -> Sink:
    """One of MLRun's notifications, by its `kind` and `params`."""
    kind, params = given.get("kind"), given.get("params") or {}
    name = f"mlrun/{number}/{given.get('name') or kind}"
    if kind == "slack":
        return Slack(name, str(params.get("webhook", "")))
    if kind == "webhook":
        return MlrunWebhook(
            name, str(params.get("url", "")), str(params.get("method", "post")).upper(), params.get("headers"),
            override_body=params.get("override_body"),
        )  # fmt: skip
    raise SettingError(f"LEEWAY_NOTIFY_MLRUN: kind {kind!r} is not sent from here; use webhook or slack")


class _NoRedirect(HTTPRedirectHandler):
    """A redirect would turn the message into a GET that says nothing."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _plain(notices: Sequence[Notice]) -> str:
    return notices[0].text if len(notices) == 1 else f"{notices[0].text}, and {len(notices) - 1} more"


def _url(notice: Notice, link: str) -> str:
    return f"{link.rstrip('/')}/{notice.path}" if link and notice.path else ""


def _linked(notice: Notice, link: str) -> str:
    """Slack's text of one notice."""
    url, text = _url(notice, link), notice.text.translate(_ESCAPED)
    title = notice.title.translate(_ESCAPED)
    return f"*<{url}|{title}>* {text}" if url else f"*{title}* {text}"


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:2_900]}}
