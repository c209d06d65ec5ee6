"""Requests and replies of each protocol, as its own documents and reference servers have them.

In a golden reply "$text" stands for any text, "$any" for anything, and a key "..." for further keys.
"""

import json
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[2] / "golden"
FILES = sorted(GOLDEN.rglob("*.json"))
CLASS = """
class Golden:
    SAID = {(1, 2): [0.0474, 0.9525], (0.5, -3): [0.9241, 0.0758]}

    def predict(self, rows):
        return [self._said(row) for row in rows]

    def _said(self, row):
        if isinstance(row, list) and len(row) == 1:
            row = row[0]
        if row == "raise":
            raise RuntimeError("as it was told to")
        if isinstance(row, str):
            return row.upper()
        if isinstance(row, bytes):
            return len(row)
        return {"seen": row} if isinstance(row, dict) else self.SAID[tuple(row)]
"""


@pytest.fixture
def golden_server(start, tmp_path, monkeypatch):
    (tmp_path / "golden_model.py").write_text(CLASS)
    monkeypatch.syspath_prepend(tmp_path)
    return start({"m": ""}, model_class="golden_model.Golden")


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_golden(golden_server, path):
    document = json.loads(path.read_text())
    asked, expected = document["request"], document["reply"]
    body = asked.get("body", b"")
    body = body if body == b"" else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    answer = golden_server.ask(asked["method"], asked["path"], body, asked.get("headers"))
    assert answer.status == expected["status"], answer.raw
    said = answer.raw.decode() if isinstance(expected["body"], str) else answer.json
    assert differences(expected["body"], said) == []
    assert expected.get("headers", {}).items() <= answer.headers.items()


def test_every_protocol_has_its_own():
    assert {path.parent.name for path in FILES} == {
        path.stem for path in (Path(__file__).parents[3] / "serving/protocols").glob("*_v?.py")
    } | {"open_inference"}


def differences(expected, found, at="$"):
    if expected == "$any" or (expected == "$text" and isinstance(found, str) and found):
        return []
    if isinstance(expected, dict) and isinstance(found, dict):
        wanted = {key: value for key, value in expected.items() if key != "..."}
        keys = set(wanted) ^ set(found) if "..." not in expected else set(wanted) - set(found)
        inner = [d for key in wanted.keys() & found.keys() for d in differences(wanted[key], found[key], f"{at}.{key}")]
        return [f"{at}: {sorted(keys)}"] * bool(keys) + inner
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [d for i, pair in enumerate(zip(expected, found)) for d in differences(*pair, f"{at}[{i}]")]
    same = expected == found and type(expected) is type(found)
    return [] if same else [f"{at}: expected {expected!r}, found {found!r}"]
