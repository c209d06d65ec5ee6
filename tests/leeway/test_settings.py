from pathlib import Path

import pytest

from leeway.errors import SettingError
from leeway.settings import Settings


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("LEEWAY_WINDOW_ROWS", "many", "expected a whole number"),
        ("LEEWAY_WINDOW_ROWS", "3.5", "expected a whole number"),
        ("LEEWAY_WINDOW_ROWS", "19", "expected at least 20"),
        ("LEEWAY_WINDOW_ALPHA", "1 %", "expected a number"),
        ("LEEWAY_WINDOW_ALPHA", "0.6", "expected at least 1e-09 and at most 0.5"),
        ("LEEWAY_WINDOW_ALPHA", "nan", "expected at least 1e-09 and at most 0.5"),
        ("LEEWAY_STREAM_SHARDS", "0", "expected at least 1 and at most 1024"),
        ("LEEWAY_OUTBOX_SYNC", "maybe", "expected true or false"),
        ("LEEWAY_RANGE_SECONDS", "-inf", "expected at least 0.01"),
    ],
)
def test_a_wrong_value_is_told_with_its_variable_and_what_was_expected(variable, value, expected):
    with pytest.raises(SettingError) as told:
        Settings.read({variable: value})
    assert f"{variable}={value!r}" in str(told.value)
    assert expected in str(told.value)


def test_variables_set_what_they_name_and_nothing_else():
    read = Settings.read(
        {
            "LEEWAY_HOME": "/tmp/x", "LEEWAY_OUTBOX_LIMIT_MB": "7", "LEEWAY_OUTBOX_SYNC": "Yes",
            "LEEWAY_WINDOW_ALPHA": "1e-3", "V3IO_API": "https://v3io", "LEEWAY_V3IO_API": "no", "HOME": "/root",
        }
    )  # fmt: skip
    assert read == Settings(
        home=Path("/tmp/x"), outbox_limit_mb=7, outbox_sync=True, window_alpha=1e-3, v3io_api="https://v3io"
    )


def test_an_empty_variable_is_none():
    assert Settings.read({"LEEWAY_HOME": "", "LEEWAY_WINDOW_ROWS": ""}) == Settings()
