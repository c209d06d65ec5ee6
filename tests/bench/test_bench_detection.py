"""The benches judge any stream of errors, and any rows."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

BENCH = Path(__file__).parent / "bench_detection.py"


def printed(*arguments):
    done = subprocess.run(
        [sys.executable, "-W", "error", str(BENCH), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_any_stream_of_errors_is_judged(tmp_path):
    rng = np.random.default_rng(0)
    errors = rng.random(6_000) < np.where(np.arange(6_000) < 4_000, 0.1, 0.3)
    (tmp_path / "errors.csv").write_text("\n".join(str(int(error)) for error in errors))
    code, out, _ = printed("--errors", tmp_path / "errors.csv")
    assert code == 0
    assert "6,000 rows" in out
    assert "one false alarm in 18,000 labelled rows, by a reference of 1,200 rows" in out
    lines = out.splitlines()
    opened = [line.split("rows ")[1].split(" to ")[0] for line in lines if "incident:" in line]
    assert any(4_000 <= int(row.replace(",", "")) < 4_200 for row in opened)
    assert {"DDM", "EDDM", "HDDM-A", "HDDM-W", "ADWIN", "Page-Hinkley"} <= {line.split()[0] for line in lines}


@pytest.mark.slow
def test_a_stream_of_something_else_is_refused(tmp_path):
    (tmp_path / "errors.csv").write_text("0\n0.5\n1\n")
    code, _, err = printed("--errors", tmp_path / "errors.csv")
    assert code == 1
    assert "0.5 in row 2" in err


@pytest.mark.slow
def test_any_rows_are_judged(tmp_path):
    rng = np.random.default_rng(0)
    reference, frame = (pd.DataFrame(rng.normal(size=(rows, 3)), columns=list("abc")) for rows in (4_000, 3_000))
    frame.loc[2_000:, "b"] += 1.0
    for name, table in (("reference", reference), ("frame", frame)):
        table.to_parquet(tmp_path / f"{name}.parquet")
    code, out, _ = printed("--frame", tmp_path / "frame.parquet", "--reference", tmp_path / "reference.parquet")
    assert code == 0
    lines = [line for line in out.splitlines() if line.startswith("window")]
    assert ["nothing moved" in line for line in lines] == [True, True, False]
    assert "'b'" in lines[2]
    code, _, err = printed("--frame", tmp_path / "frame.parquet")
    assert code == 2
    assert "--frame needs --reference" in err
