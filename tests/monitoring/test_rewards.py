"""Rewards by arm, from the stream to where the workers read them."""

import msgspec

from leeway.desired import Reward, rewards
from leeway.record import Request
from monitoring.rewards import RewardBook

KEY = "shop/server/elec"


def test_rewards_are_summed_by_arm_and_held_between_0_and_1_as_successes():
    book = RewardBook()
    book.add("k", "a", [1.0, 0.5])
    book.add("k", "a", [-3.0, 7.0])
    book.add("k", "b", [0.0])
    puts, deletes = book.changes()
    assert (list(puts), deletes) == (["rewards/k"], [])
    assert msgspec.json.decode(puts["rewards/k"], type=dict[str, Reward]) == {
        "a": Reward(4, 5.5, 2.5),
        "b": Reward(1, 0.0, 0.0),
    }
    assert book.changes() == ({}, [])
    other = RewardBook()
    other.restore({**puts, "labels/next": b"x"})
    other.add("k", "b", [1.0])
    assert msgspec.json.decode(other.changes()[0]["rewards/k"], type=dict[str, Reward])["b"] == Reward(2, 1.0, 1.0)


def reward(maker, id="", arm=None, value=1.0, **fields):
    maker.append(maker.record("feedback", "elec", request=Request(id=id, reward=value), arm=arm, **fields))


def shown(reader):
    return rewards(reader.shared, KEY)


def test_a_reward_finds_the_arm_of_the_request_that_it_is_for(make_reader, maker):
    reader = make_reader(None)
    maker.predict("elec", "r1", arm="main", propensity=0.9)
    maker.predict("elec", "r2", arm="canary", propensity=0.1)
    maker.predict("elec", "r2", arm="main", shadow_of="canary", endpoint_id="e/shadow")
    maker.predict("elec", "r3")
    for id in ("r1", "r2", "r2", "r3", "unknown", ""):
        reward(maker, id)
    reward(maker, "r1", value=[1.0, 0.0])
    reader.consumer().consume(maker.messages)
    assert shown(reader) == {"main": Reward(3, 2.0, 2.0), "canary": Reward(2, 2.0, 2.0)}


def test_feedback_that_names_the_arm_needs_no_request(make_reader, maker):
    reader = make_reader(None)
    reward(maker, arm="canary/model-b", value=0.25)
    reader.consumer().consume(maker.messages)
    assert shown(reader) == {"canary/model-b": Reward(1, 0.25, 0.25)}


def test_a_reward_comes_with_truth_too_and_a_test_is_none(make_reader, maker):
    reader = make_reader(None)
    maker.predict("elec", "r1", arm="main")
    maker.append(maker.record("feedback", "elec", request=Request(id="r1", truth=[1], reward=0.5)))
    reward(maker, "r1", labels={"purpose": "test"})
    reader.consumer().consume(maker.messages)
    assert shown(reader) == {"main": Reward(1, 0.5, 0.5)}


def test_counts_outlive_the_consumer_and_count_nothing_twice(make_reader, maker):
    reader = make_reader(None)
    maker.predict("elec", "r1", arm="main")
    reward(maker, "r1")
    reader.consumer().consume(maker.messages)
    maker.messages.append(maker.messages[1]._replace(offset=2))  # the same record, sent again
    reward(maker, "r1", value=0.0)
    again = reader.consumer()
    again.consume(maker.messages)
    assert shown(reader) == {"main": Reward(2, 1.0, 1.0)}


def test_truth_joins_predictions_of_every_arm(make_reader, maker):
    reader = make_reader(None)
    for i, arm in enumerate(["main", "canary", "main"]):
        maker.predict("elec", f"r{i}", [[0.9, 0, 0]], arm=arm, endpoint_id=f"shop/server/elec/{arm}/m/v1")
        maker.truth("elec", f"r{i}", [1])
    reader.consumer().consume(maker.messages)
    assert {row["status"] for row in reader.table("feedback")} == {"joined"}
