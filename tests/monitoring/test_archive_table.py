"""Records as Parquet rows."""

import msgspec
import pyarrow as pa
import pytest

from leeway.backends.unify_tables import unify_tables
from leeway.record import Record, Request, Response
from leeway.record_writer import said_of
from monitoring.answers import Answers, is_whole
from monitoring.archive_table import prediction_table, values_array
from monitoring.label_values import Place
from monitoring.outcomes import COUNTED


def answers_of(*records: Record) -> Answers:
    answers = Answers(3, "shop/server/a", "e")
    for i, record in enumerate(records):
        said = said_of(record)
        answers.take(record, said, Place(10 + i, 0, 99, 100), COUNTED, is_whole(record, said))
    answers.end()
    return answers


def test_a_row_of_a_request_becomes_a_row(maker):
    first = maker.prediction("a", "one", [[0.1, 0.2, 0.3], [0.9, None, "north"]])
    second = maker.prediction("a", "two", [[0.4, 0.5, 0.6]], error="boom", labels={"k": "v"})
    rows = prediction_table(answers_of(first, second)).to_pylist()
    place = [(row["shard"], row["offset"], row["index"], row["row"], row["appended"], row["rows"]) for row in rows]
    assert place == [(3, 10, 0, 0, 99, 2), (3, 10, 0, 1, 99, 2), (3, 11, 0, 0, 99, 1)]
    assert [(row["id"], row["output"], row["error"]) for row in rows] == [
        ("one", 0, None), ("one", 1, None), ("two", 0, "boom"),
    ]  # fmt: skip
    assert [(row["x_price"], row["x_demand"], row["x_region"]) for row in rows] == [
        (0.1, 0.2, "0.3"), (0.9, None, "north"), (0.4, 0.5, "0.6"),
    ]  # fmt: skip
    assert rows[2]["labels"] == '{"k":"v"}'


def test_every_field_of_a_record_is_archived(maker):
    fields = set(Record.__struct_fields__) - {"schema", "origin", "request", "resp", "features", "class_"}
    names = set(prediction_table(answers_of(maker.prediction("a", "one"))).column_names)
    assert fields | {"class", "outbox", "seq", "dropped", "output", "probabilities"} <= names


def test_a_record_without_rows_is_still_one_row(maker):
    failed = maker.prediction("a", "one", [], error="bad input", resp=Response())
    rows = prediction_table(answers_of(failed, maker.prediction("a", "two"))).to_pylist()
    assert (rows[0]["id"], rows[0]["output"], rows[0]["x_price"]) == ("one", None, None)
    assert len(rows) == 2


def test_answers_that_do_not_match_their_rows_are_kept_without_outputs(maker):
    record = maker.prediction("a", "one", [[1, 2, 3]], resp=Response(outputs=[1, 0], probabilities=[[0.5, 0.5]] * 2))
    answers = answers_of(record)
    assert prediction_table(answers).select(["output", "probabilities"]).to_pylist() == [
        {"output": None, "probabilities": None}
    ]
    assert len(answers.fed) == 0


def test_names_come_from_the_record_then_the_profile_then_the_place(maker):
    named = maker.prediction("a", "1", [[1.0, 2.0]], features=["p", "q"])
    unnamed = maker.prediction("a", "2", [[3.0, 4.0]], features=None)
    answers = answers_of(named, unnamed)
    answers.names = ["q", "p"]
    assert {name: column.tolist() for name, column in answers.columns.items()} == {"p": [1.0, 4.0], "q": [2.0, 3.0]}
    wide = answers_of(maker.prediction("a", "3", [[1, 2, 3]], features=None))
    wide.names = ["q", "p"]
    assert list(wide.columns) == ["f0", "f1", "f2"]


@pytest.mark.parametrize(
    "values, expected",
    [
        ([1, None, 2], pa.array([1, None, 2], pa.int64())),
        ([1, 2.5], pa.array([1.0, 2.5])),
        ([True, None], pa.array([True, None])),
        (["a", None], pa.array(["a", None])),
        (["a", 1.0, True, None, [1]], pa.array(["a", "1.0", "true", None, "[1]"])),
        ([2**70], pa.array([str(2**70)])),
        ([None], pa.nulls(1)),
    ],
)
def test_values_get_the_narrowest_type_that_holds_all(values, expected):
    assert values_array(values).equals(expected)


def test_probabilities_are_lists(maker):
    record = maker.prediction("a", "one", [[1, 2, 3]])
    resp = msgspec.structs.replace(record.resp, probabilities=[[0.25, None]])
    table = prediction_table(
        answers_of(msgspec.structs.replace(record, resp=resp, request=Request(inputs=[[1, 2, 3]])))
    )
    assert table["probabilities"].to_pylist() == [[0.25, None]]


@pytest.mark.parametrize("beside", [0.5, 1e16, float("nan"), True, "north", None, [1], 7])
def test_a_value_looks_the_same_whether_its_column_became_text_at_once_or_later(beside):
    for value in (2**60 + 1, 2**70, 1e16, 1e-7, 3, False, "a"):
        at_once = unify_tables([pa.table({"output": values_array([value, beside, "x"])})])
        later = unify_tables([pa.table({"output": values_array([each])}) for each in (value, beside, "x")])
        assert at_once["output"].to_pylist() == later["output"].to_pylist()


def test_whole_numbers_that_a_float_cannot_hold_are_text_beside_floats_of_another_range():
    found = unify_tables([pa.table({"output": values_array(values)}) for values in ([2**60 + 1], [0.5], [3])])
    assert found["output"].to_pylist() == [str(2**60 + 1), "0.5", "3"]
