"""The README's way to a cluster, word for word, on the tests' own servers: URLs change, nothing else."""

import json
import os
import pickle
import re
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import httpx
import numpy as np
import pandas as pd
import psycopg
import pytest
from sklearn.linear_model import LogisticRegression

from leeway.backends import connect
from leeway.settings import Settings
from monitoring.queries import Queries

pytestmark = [pytest.mark.slow, *(pytest.mark.engine(name) for name in ("kafka", "postgres", "s3"))]

ROOT = Path(__file__).parents[2]
SECTION = re.compile(r"^## To a cluster\n.*?^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PATIENCE_S = 90


def table(seed):
    frame = pd.DataFrame(np.random.default_rng(seed).normal(size=(1_500, 3)), columns=["a", "b", "c"])
    return frame.assign(y=(frame["a"] + frame["b"] / 2 > 0).astype(int))


@pytest.fixture
def block(kafka, postgres, s3):
    """The README's lines with the hosts of the tests' servers in place of its own."""
    text = SECTION.search((ROOT / "README.md").read_text())[1]
    database = f"d{uuid4().hex[:8]}"
    with closing(psycopg.connect(postgres.url, autocommit=True)) as connection:
        connection.execute(f"CREATE DATABASE {database}")
    for ours, theirs in {
        "kafka.example:9092": kafka.url.removeprefix("kafka://"),
        "postgres.example:5432/postgres": f"127.0.0.1:{postgres.port}/{database}",
        "s3.example:8333": f"127.0.0.1:{s3.port}",
    }.items():
        assert ours in text
        text = text.replace(ours, theirs)
    return text


def test_as_a_new_user_would(laptop, tmp_path, block, s3):
    training, live, features = table(0), table(1), ["a", "b", "c"]
    model = LogisticRegression().fit(training[features].to_numpy(), training["y"])
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    table(2).to_parquet(tmp_path / "holdout.parquet")
    key, secret = s3.keys
    laptop.environ |= {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_EC2_METADATA_DISABLED": "true"}
    laptop.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{laptop.environ['PATH']}"
    script = block + "env | grep '^LEEWAY_'\n"
    done = subprocess.run(
        ["bash", "-e", "-c", script], cwd=tmp_path, env=laptop.environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    laptop.environ |= dict(re.findall(r"^(LEEWAY_\w+)=(.*)$", done.stdout, re.MULTILINE))
    url = re.search(r"served at (http://\S+?),", done.stdout)[1]
    assert "leeway status" in block and "kafka://127.0.0.1" in done.stdout
    with httpx.Client(base_url=f"{url}/model", timeout=PATIENCE_S) as client:
        for begin in range(0, len(live), 100):
            part, id = live.iloc[begin : begin + 100], f"r{begin}"
            said = client.post("/predict", json={"id": id, "instances": part[features].to_numpy().tolist()})
            told = client.post("/feedback", json={"id": id, "truth": (1 - part["y"]).tolist()})
            assert (said.status_code, told.status_code) == (200, 200)
    end = time.monotonic() + PATIENCE_S
    while not json.loads(laptop.run("incidents", "list", "--json")):
        assert time.monotonic() < end, laptop.run("status")
    settings = Settings.read(laptop.environ)
    with Queries(settings) as queries:
        (shown,) = queries.consumers()
        counts = queries.counts()
    assert (counts["predictions"]["rows"], counts["lost"]) == (len(live), 0)
    with closing(connect.stream(shown.stream, settings)) as stream:
        assert stream.bounds(0)[1] >= 30
    home = laptop.home
    assert not any((home / name).exists() for name in ("streams", "state", "series.db", "archive")), (
        "nothing is left here"
    )
