from leeway.privacy import Privacy
from leeway.settings import Settings

SECRET, NAME = 8_150_227, "Ada Lovelace"
NAMES = ["age", "salary", "name"]


def test_nothing_changes_where_no_column_is_named():
    rows = [[1, SECRET, NAME]]
    assert Privacy.of(Settings()).rows(rows, NAMES) is rows


def test_columns_are_left_out_or_hashed_and_rows_keep_their_width():
    privacy = Privacy.of(Settings(privacy_left_out="salary", privacy_hashed=" name , salary", privacy_key="k"))
    rows = privacy.rows([[1, SECRET, NAME], [2, None, NAME], [3, 1, None]], NAMES)
    assert [row[:2] for row in rows] == [[1, None], [2, None], [3, None]]
    assert rows[0][2] == rows[1][2] != NAME
    assert len(rows[0][2]) == 16
    assert rows[2][2] is None


def test_hashes_depend_on_the_key_and_on_the_type():
    def hashed(value, key):
        return Privacy(hashed=["age"], key=key).rows([[value, 0, 0]], NAMES)[0][0]

    assert hashed(1, b"a") != hashed(1, b"b")
    assert hashed(1, b"a") != hashed("1", b"a")
    assert hashed(1, b"") != 1


def test_what_cannot_be_told_apart_is_kept_back():
    privacy = Privacy(left_out=["salary"])
    assert privacy.rows([[1, SECRET, NAME]], None) == []
    assert str(SECRET) not in str(privacy.rows([[1, SECRET]], NAMES))
    assert str(SECRET) not in str(privacy.rows([{"a": SECRET}], NAMES))
