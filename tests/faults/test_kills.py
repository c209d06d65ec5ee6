"""Whatever process is killed, and whenever: each answer that a client got is in the archive, once."""

from collections import Counter
from functools import partial
from random import Random

import pytest

from leeway.local import platform
from leeway.settings import Settings
from tests.faults.kills import VICTIMS, check, deploy_drift, deploy_server
from tests.faults.laptop import WATCHING, Laptop, Replay, until

SETTLING_S = (0.05, 2.0)


@pytest.fixture
def laptop(tmp_path, profile):
    laptop = Laptop(Settings(home=tmp_path / "home", **WATCHING))
    laptop.settings.home.mkdir(mode=0o700)
    deploy_drift(laptop)
    deploy_server(laptop, profile, tmp_path / "model")
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


def run(laptop, tmp_path, kills, seed):
    replay = Replay(partial(laptop.address, "server"), seed)
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
    print(f"{dict(killed)} killed, {len(replay.answered):,} answers kept")


@pytest.mark.slow
def test_twenty_kills_lose_and_double_nothing(laptop, tmp_path):
    run(laptop, tmp_path, 20, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_two_hundred_kills_lose_and_double_nothing(laptop, tmp_path):
    run(laptop, tmp_path, 200, seed=2)
