"""What the bodies of MLRun's protocols have in common."""

from collections.abc import Mapping
from typing import Any

from serving.body import json_object
from serving.errors import BadRequest
from serving.request_id import request_id, uuid7
from serving.types import Feedback, HttpRequest, InferenceRequest, Route


def read_inference(route: Route, request: HttpRequest, key: str, other: str) -> InferenceRequest:
    """The rows lie under `key`; `other` is what the sister protocol calls them, for the message."""
    body = json_object(request)
    rows = body.get(key)
    if type(rows) is not list or not rows:
        raise BadRequest(_no_rows(body, rows, key, other))
    return InferenceRequest(
        id=request_id(body.get("id"), request.headers),
        rows=rows,
        operation=route.operation,
        event_time=_event_time(body),
        labels=_labels(body),
        body=body,
    )


def read_feedback(request: HttpRequest) -> Feedback:
    """{id, rows?, truth | reward}: of whom it speaks is the body's id; its own is the header's, or a new one."""
    body = json_object(request)
    about = body.get("id")
    feedback = Feedback(
        id=request_id(None, request.headers) if request["x-request-id"] else uuid7(),
        about="" if about is None or about == "" else request_id(about, {}),
        rows=_rows(body.get("rows")),
        truth=_truth(body.get("truth")),
        reward=_reward(body.get("reward")),
        event_time=_event_time(body),
        labels=_labels(body),
    )
    _check(feedback)
    return feedback


def _no_rows(body: Mapping[str, Any], rows: Any, key: str, other: str) -> str:
    if key not in body:
        hint = f"; `{other}` belongs to the other protocol" if other in body else ""
        return f'the body has no `{key}`{hint}; expected {{"{key}": [[...], ...]}}, one list per row'
    return f"`{key}` is {'empty' if rows == [] else repr(rows)[:80]}; expected a list with at least one row"


def _labels(body: Mapping[str, Any]) -> dict[str, str]:
    labels = body.get("labels")
    if labels is None:
        return {}
    if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
        raise BadRequest(f"labels is {labels!r:.80}; expected an object whose values are text")
    return labels


def _event_time(body: Mapping[str, Any]) -> str | None:
    when = body.get("event_time")
    if when is not None and not isinstance(when, str):
        raise BadRequest(f"event_time is {when!r:.80}; expected text (ISO 8601)")
    return when


def _rows(rows: Any) -> list[int] | None:
    if rows is None:
        return None
    if not isinstance(rows, list) or not all(type(row) is int and 0 <= row < 2**31 for row in rows):
        raise BadRequest(f"rows is {rows!r:.80}; expected indices of rows, which count from 0")
    return rows


def _truth(truth: Any) -> list[Any] | None:
    if truth is not None and not isinstance(truth, list):
        raise BadRequest(f"truth is {truth!r:.80}; expected a list with one value per row")
    return truth


def _reward(reward: Any) -> float | list[float] | None:
    values = reward if isinstance(reward, list) else [reward]
    if reward is not None and not all(type(value) in (int, float) and abs(value) < 1e300 for value in values):
        raise BadRequest(f"reward is {reward!r:.80}; expected a number, or a list with one per row")
    return reward


def _check(feedback: Feedback) -> None:
    truth, rows = feedback.truth, feedback.rows
    if feedback.reward is not None and not truth:
        return
    if not truth or all(value is None for value in truth):
        raise BadRequest('the body has neither truth nor reward; expected {"id": ..., "truth": [...]}')
    if not feedback.about:
        raise BadRequest("the body has truth, but no id: give the id of the request that it is about")
    if rows is not None and len(rows) != len(truth):
        raise BadRequest(f"rows names {len(rows)} rows, truth has {len(truth)} values; give one value per row")
