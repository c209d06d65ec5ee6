"""Kills over Kafka, PostgreSQL and S3, of which the first two die too, while a second consumer comes and goes."""

from collections import Counter
from contextlib import closing
from dataclasses import replace
from functools import partial
from random import Random
from uuid import uuid4

import psycopg
import pytest

from leeway.local import platform
from leeway.settings import Settings
from tests.faults.kills import VICTIMS, check, deploy_drift, deploy_server
from tests.faults.laptop import WATCHING, Laptop, Replay, until

pytestmark = [pytest.mark.engine(name) for name in ("kafka", "postgres", "s3")]

SETTLING_S = (0.05, 1.5)


@pytest.fixture
def laptop(tmp_path, profile, kafka, postgres, s3):
    name = f"t{uuid4().hex[:8]}"
    with closing(psycopg.connect(postgres.url, autocommit=True)) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    database = f"{postgres.url}?options=-csearch_path%3D{name}"
    settings = Settings(
        home=tmp_path / "home",
        stream=kafka.url,
        state=database,
        series=database,
        archive=s3.url(f"b{name}"),
        **WATCHING,
    )
    laptop = Laptop(settings, f"kills/{name}")
    settings.home.mkdir(mode=0o700)
    deploy_drift(laptop)
    deploy_server(laptop, profile, tmp_path / "model")
    yield laptop
    platform.down(settings)


@pytest.fixture
def second(laptop, tmp_path):
    """Another machine, where the same function joins the same group."""
    second = Laptop(replace(laptop.settings, home=tmp_path / "second"), laptop.stream)
    second.settings.home.mkdir(mode=0o700)
    yield second
    platform.down(second.settings)


class Killer:
    """Seeded moments; each kind of victim in turn, in an order left to chance."""

    def __init__(self, laptop, replay, seed):
        self.killed = Counter()
        self._laptop, self._replay, self._random = laptop, replay, Random(seed)
        self._waiting = []

    def kill(self, count):
        for _ in range(count):
            assert self._replay.is_alive()
            self._replay.join(self._random.uniform(*SETTLING_S))
            self._waiting = self._waiting or self._random.sample(VICTIMS, len(VICTIMS))
            victim = self._waiting.pop()
            until(lambda: self._laptop.kill(victim), f"a {victim} to kill")  # noqa: B023  called at once
            self.killed[victim] += 1
            if platform.find(self._laptop.settings) is None:
                platform.ensure(self._laptop.settings)


def run(laptop, second, servers, tmp_path, rounds, kills, seed):
    """In each round the second consumer joins, each server dies and comes back, and the second consumer leaves;
    `kills` between, so six times as many in a round."""
    replay = Replay(partial(laptop.address, "server"), seed)
    killer = Killer(laptop, replay, seed)
    replay.start()
    try:
        until(lambda: len(replay.answered) > 300, "some answers")
        for _ in range(rounds):
            deploy_drift(second)
            killer.kill(kills)
            for server in servers:
                server.kill()
                try:
                    killer.kill(kills)
                finally:
                    server.start()
                killer.kill(kills)
            platform.down(second.settings)
            killer.kill(kills)
        so_far = len(replay.answered)
        until(lambda: len(replay.answered) > max(1_200, so_far + 200), "more answers")
    finally:
        replay.stop()
    assert replay.statuses <= {0, 200}, replay.statuses
    assert set(killer.killed) == set(VICTIMS)
    laptop.drain()
    check(laptop, replay, tmp_path / "calm")
    print(
        f"{killer.killed.total()} killed in {rounds} rounds: {dict(killer.killed)}; {len(replay.answered):,} answered"
    )


@pytest.mark.slow
def test_twenty_kills_lose_and_double_nothing_while_the_engines_go_away(laptop, second, kafka, postgres, tmp_path):
    run(laptop, second, [kafka, postgres], tmp_path, rounds=1, kills=4, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
def test_two_hundred_kills_lose_and_double_nothing(laptop, second, kafka, postgres, tmp_path):
    run(laptop, second, [kafka, postgres], tmp_path, rounds=9, kills=4, seed=2)
