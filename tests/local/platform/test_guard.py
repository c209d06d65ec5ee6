"""A web page must not be able to deploy code."""

import asyncio

import pytest

from leeway.local.guard import Guard

JSON = ("content-type", "application/json")


def status(method: str, headers: list[tuple[str, str]]) -> int:
    """What a guard for port 8070 answers, 200 where it lets the request through."""
    seen: list[int] = []

    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})

    async def send(message):
        if message["type"] == "http.response.start":
            seen.append(message["status"])

    scope = {
        "type": "http",
        "method": method,
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    asyncio.run(Guard(application, 8070)(scope, None, send))
    return seen[0]


@pytest.mark.parametrize("host", ["127.0.0.1:8070", "localhost:8070", "LOCALHOST:8070", "[::1]:8070"])
def test_this_machine_may_speak_to_it(host):
    assert status("GET", [("host", host)]) == 200
    assert status("POST", [("host", host), JSON]) == 200
    assert status("POST", [("host", host), JSON, ("origin", f"http://{host}")]) == 200


@pytest.mark.parametrize(
    "host", ["evil.example:8070", "127.0.0.1", "127.0.0.1:80", "localhost.evil.example:8070", "", "0.0.0.0:8070"]
)
def test_another_name_for_this_address_is_refused(host):
    """DNS rebinding: the page's own name resolves to 127.0.0.1."""
    assert status("GET", [("host", host)]) == 403
    assert status("GET", []) == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:8888", "https://localhost:8070", "http://localhost"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
def test_a_page_from_elsewhere_is_refused(origin, method):
    assert status(method, [("host", "localhost:8070"), JSON, ("origin", origin)]) == 403


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "Text/Plain; charset=utf-8", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
)
def test_what_a_form_can_send_is_refused(kind):
    assert status("POST", [("host", "localhost:8070"), ("content-type", kind)]) == 403


def test_a_body_without_a_type_is_refused():
    """fetch() sends a Blob without a type to another site without asking first."""
    assert status("POST", [("host", "localhost:8070")]) == 403
