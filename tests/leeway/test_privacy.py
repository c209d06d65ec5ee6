from leeway.privacy import Privacy
from leeway.record import NodeAnswer, Origin, Record, Request, Response, encode
from leeway.settings import Settings

SECRET, NAME = 8_150_227, "Ada Lovelace"


def record(rows, features=("age", "salary", "name"), **fields):
    return Record(
        schema=1, id="r", op="infer", when="", project="p", function_uri="p/f", deployment="d", origin=Origin("o", 1),
        request=Request("r", rows), features=None if features is None else list(features),
        resp=Response("r", "m", [1] * len(rows)), **fields,
    )  # fmt: skip


def test_nothing_changes_where_no_column_is_named():
    kept = record([[1, SECRET, NAME]])
    assert Privacy.of(Settings()).apply(kept) is kept


def test_columns_are_left_out_or_hashed_and_rows_keep_their_width():
    privacy = Privacy.of(Settings(privacy_left_out="salary", privacy_hashed=" name , salary", privacy_key="k"))
    rows = privacy.apply(record([[1, SECRET, NAME], [2, None, NAME], [3, 1, None]])).request.inputs
    assert [row[:2] for row in rows] == [[1, None], [2, None], [3, None]]
    assert rows[0][2] == rows[1][2] != NAME
    assert len(rows[0][2]) == 16
    assert rows[2][2] is None


def test_hashes_depend_on_the_key_and_on_the_type():
    def hashed(value, key):
        return Privacy(hashed=["age"], key=key).apply(record([[value, 0, 0]])).request.inputs[0][0]

    assert hashed(1, b"a") != hashed(1, b"b")
    assert hashed(1, b"a") != hashed("1", b"a")
    assert hashed(1, b"") != 1


def test_what_cannot_be_told_apart_is_kept_back():
    privacy = Privacy(left_out=["salary"])
    nodes = [NodeAnswer("scale", [[1, SECRET]])]
    for kept in (record([[1, SECRET, NAME]], None), record([[1, SECRET]]), record([{"a": SECRET}], nodes=nodes)):
        assert str(SECRET).encode() not in encode(privacy.apply(kept))
    assert privacy.apply(record([[1, SECRET, NAME]], None)).resp.outputs == [1]
