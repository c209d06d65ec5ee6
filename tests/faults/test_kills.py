"""Whatever process is killed, and whenever: each answer that a client got is in the archive, once."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from leeway.local import platform
from leeway.settings import Settings, variable
from monitoring.decode import decode
from monitoring.queries import Queries
from tests.faults.laptop import STREAM, WATCHING, Laptop, Replay, until
from tests.faults.outcome import outcome, undisturbed

VICTIMS = ("server", "drift", "supervisor")
SETTLING_S = (0.05, 2.0)


MODEL = """

class Up:
    def predict(self, rows):
        return [int(row[0] > 0.5) for row in rows]
"""


@pytest.fixture
def laptop(tmp_path, profile):
    laptop = Laptop(Settings(home=tmp_path / "home", **WATCHING))
    laptop.settings.home.mkdir(mode=0o700)
    model = tmp_path / "model"
    model.mkdir()
    (model / "leeway-profile.json").write_bytes(profile)
    watching = {variable(name.replace("_", ".", 1)): str(value) for name, value in WATCHING.items()}
    serving = {"SERVING_MODEL_a": str(model), "MODEL_CLASS": "main.Up"}
    laptop.deploy("drift", "functions/concept_drift/concept_drift.py", watching)
    laptop.deploy("server", "functions/model_server/model_server.py", serving, MODEL)
    yield laptop
    platform.down(laptop.settings)


def kill_at_random(laptop, replay, kills, seed):
    """Seeded moments and victims; a supervisor that was killed is followed by one that the next command starts."""
    random, killed = Random(seed), Counter()
    while sum(killed.values()) < kills:
        assert replay.is_alive()
        replay.join(random.uniform(*SETTLING_S))
        victim = random.choice(VICTIMS)
        killed[victim] += laptop.kill(victim)
        if platform.find(laptop.settings) is None:
            platform.ensure(laptop.settings)
    return killed


def check(laptop, replay, empty):
    stream = laptop.messages()
    sent = Counter(
        (record.op, record.request.id if record.op == "feedback" else record.id)
        for message in stream
        for record in decode(message.value)
        if record.op != "outbox_end"
    )
    found = outcome(laptop.settings)
    archived = Counter(row["id"] for row in found["tables"]["prediction"])
    told = Counter(row["request_id"] for row in found["tables"]["feedback"])
    assert set(replay.answered) <= set(archived), sorted(set(replay.answered) - set(archived))[:5]
    assert set(replay.told) <= set(told)
    assert set(archived.values()) == {1} and set(told.values()) == {1}
    counts = found["counts"]
    assert counts["predictions"]["counted"] == len(archived)
    assert counts["feedback"]["recorded"] == len(told) == counts["feedback"]["joined"] + counts["feedback"]["pending"]
    assert counts["repeated"] == sum(sent.values()) - len(archived) - len(told)
    assert (counts["lost"], counts["dead_lettered"], counts["dropped"]) == (0, 0, {})
    with Queries(laptop.settings) as queries:
        profiles = {key: value for key, value in queries._shared.scan("profile/").items()}
    calm = undisturbed(replace(laptop.settings, home=empty), profiles, stream)
    assert len(calm["verdicts"]) > 3
    for what in calm:
        assert found[what] == calm[what], what


def run(laptop, tmp_path, kills, seed):
    replay = Replay(laptop.addresses["server"], seed)
    replay.start()
    try:
        until(lambda: len(replay.answered) > 300, "some answers")
        killed = kill_at_random(laptop, replay, kills, seed)
        until(lambda: len(replay.answered) > 1_200, "more answers")
    finally:
        replay.stop()
    assert replay.statuses <= {0, 200}, replay.statuses
    assert set(killed) == set(VICTIMS)
    laptop.drain()
    check(laptop, replay, tmp_path / "calm")
    print(f"{STREAM}: {dict(killed)} killed, {len(replay.answered):,} answers kept")


@pytest.mark.slow
def test_twenty_kills_lose_and_double_nothing(laptop, tmp_path):
    run(laptop, tmp_path, 20, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_two_hundred_kills_lose_and_double_nothing(laptop, tmp_path):
    run(laptop, tmp_path, 200, seed=2)
