"""Archived rows give the same verdicts again."""

from dataclasses import replace

import msgspec
import pytest

from leeway.errors import LeewayError
from monitoring.replay import Replay, what_if


def as_json(verdicts):
    return [msgspec.json.encode(verdict) for verdict in verdicts]


WATCHED = {"detector_also": "ddm,hddm_w", "slices": "demand>0.5;region", "slices_rows": 100}


@pytest.mark.parametrize("deployment", ["a", "shop/server/b"])
@pytest.mark.parametrize("settings", [{"labels_age_s": 300}, WATCHED], ids=["age", "all detectors"])
def test_the_same_settings_give_the_same_verdicts(make_reader, eventful, deployment, settings):
    reader = make_reader(range_rows=90, **settings)
    reader.consumer().consume(eventful)
    replay = Replay(reader.settings, deployment)
    run = replay.run(reader.settings)
    assert run.verdicts
    assert as_json(run.verdicts) == as_json(replay.recorded())
    assert run.rows_per_s > 0


def test_where_labels_are_forgotten_by_number_verdicts_are_the_same(make_reader, eventful):
    """Of a stream of one deployment: the bound is the shard's, and a replay has one deployment's records."""
    mine = [message for message in eventful if message.key.endswith("/a")]
    few, many = make_reader(labels_count=15), make_reader()
    for reader in (few, many):
        reader.consumer().consume(mine)
    replay = Replay(few.settings, "a")
    found = as_json(replay.run(few.settings).verdicts)
    assert found == as_json(replay.recorded())
    assert found != as_json(Replay(many.settings, "a").recorded())


def test_a_part_is_that_part_of_the_whole(make_reader, eventful):
    reader = make_reader()
    reader.consumer().consume(eventful)
    replay = Replay(reader.settings, "a")
    whole = replay.run(reader.settings).verdicts
    middle = whole[len(whole) // 2].appended
    before, after = (replay.run(reader.settings, *span).verdicts for span in ((0, middle), (middle, 2**62)))
    assert before
    assert as_json(before + after) == as_json(whole)


def test_a_higher_price_alarms_less_and_says_what_it_costs(make_reader, eventful):
    reader = make_reader()
    reader.consumer().consume(eventful)
    replay = Replay(reader.settings, "a")
    dearer = replace(reader.settings, detector_arl0=20_000)
    named = {"now": (reader.settings, replay.run(reader.settings).verdicts)}
    named["dearer"] = (dearer, replay.run(dearer).verdicts)
    concept = {row["settings"]: row for row in what_if(named) if row["detector"] == "concept_drift"}
    assert concept["dearer"]["alarms"] < concept["now"]["alarms"]
    assert concept["dearer"]["threshold"] > concept["now"]["threshold"]
    assert concept["dearer"]["delay_doubled"] > concept["now"]["delay_doubled"]


def test_a_deployment_that_never_answered_is_refused(make_reader):
    with pytest.raises(LeewayError, match="0 deployments 'nobody'"):
        Replay(make_reader().settings, "nobody")
