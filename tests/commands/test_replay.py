"""`leeway replay` and `leeway calibrate` on what a consumer left in the home."""

import random

import numpy as np
import pandas as pd
import pytest

from leeway.backends import connect
from leeway.clock import ManualClock
from leeway.interfaces import Message
from leeway.record import FEEDBACK, INFER, Origin, Record, Request, Response, encode
from leeway.settings import Settings
from monitoring.consumer import Consumer
from monitoring.reference import profile_of

KEY, ENDPOINT = "shop/server/elec", "shop/server/elec/default/elec/v1"
ROWS, DRIFT_FROM, BEGIN = 2_000, 1_000, 1_700_000_000


def messages():
    """2,000 rows, a second each; from row 1,000 on half of the answers are wrong."""
    draw = random.Random(1)
    for i in range(ROWS):
        x = draw.random()
        wrong = draw.random() < (0.5 if i >= DRIFT_FROM else 0.1)
        yield i, INFER, {
            "id": f"r{i}", "endpoint_id": ENDPOINT, "request": Request(inputs=[[x]]), "features": ["x"],
            "resp": Response(id=f"r{i}", outputs=[int(x > 0.5)]),
        }  # fmt: skip
        yield i, FEEDBACK, {"id": f"t{i}", "request": Request(id=f"r{i}", truth=[int(x > 0.5) ^ wrong])}


@pytest.fixture
def watched(home):
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"x": rng.random(2_000)})
    frame["y"] = (frame["x"] > 0.5).astype(int) ^ (rng.random(2_000) < 0.1)
    profile = profile_of(
        frame, features=["x"], label="y", predict=lambda f: (f["x"] > 0.5).astype(int), held_out=slice(1_000, None)
    )
    settings, name = Settings(home=home), "consumer/drift/s/0"
    stores = connect.state(settings, name), connect.state(settings, "shared"), connect.series(settings)
    stores[1].commit({f"profile/{ENDPOINT}": profile.to_bytes()})
    archive = connect.archive(settings)
    consumer = Consumer("s", 0, settings, *stores, archive, ManualClock(), lambda incident: None, name)
    for offset, (second, op, fields) in enumerate(messages()):
        record = Record(
            schema=1, op=op, when="2026-11-24T12:00:00.000000Z", project="shop", function_uri="shop/server",
            deployment="elec", origin=Origin("o", offset + 1), **fields,
        )  # fmt: skip
        consumer.offer(Message(0, offset, BEGIN + second, KEY, encode(record)))
    consumer.close()
    for store in stores:
        store.close()


def alarms(found, settings):
    return sum(row["alarms"] for row in found["table"] if row["settings"] == settings)


def test_a_replay_finds_what_was_found_and_a_changed_setting_something_else(watched, leeway, ok):
    found = ok(leeway("replay", "elec", "--set", "detector.arl0=1000000", "--json"))
    assert found["rows"] == ROWS
    assert found["verdicts"] == found["recorded"] == found["equal"] > 0
    assert alarms(found, "as they are") > alarms(found, "detector.arl0=1000000") > 0
    shown = leeway("replay", KEY).stdout
    assert "verdicts" in shown and "of them as recorded" in shown and "expected_false_alarms" in shown


def test_a_part_of_the_time_holds_the_verdicts_of_that_part(watched, leeway, ok):
    early = ok(leeway("replay", "elec", "--to", "2023-11-14T22:29:00", "--json"))  # 940 s after the first row
    late = ok(leeway("replay", "elec", "--from", "2023-11-14T22:29:00", "--json"))
    assert alarms(early, "as they are") == 0 < alarms(late, "as they are")
    assert early["equal"] == early["recorded"] > 0 and late["equal"] == late["recorded"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("elec", "--set", "detector.arl=5"), "detector.arl=5"),
        (("elec", "--set", "detector.arl0=many"), "LEEWAY_DETECTOR_ARL0"),
        (("elec", "--from", "yesterday"), "'yesterday' is no moment"),
        (("nobody",), "0 deployments 'nobody'"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(watched, leeway, arguments, said):
    result = leeway("replay", *arguments)
    assert result.exit_code != 0 and said in result.output + str(result.exception)


def test_calibrate_shows_what_prices_mean_on_the_models_own_reference(watched, leeway, ok):
    found = ok(leeway("calibrate", "elec", "--arl0", "2000", "--arl0", "20000", "--json"))[ENDPOINT]
    cheap, dear = found["prices"]
    assert (found["rows"], cheap["arl0"], dear["arl0"]) == (1_000, 2_000, 20_000)
    assert cheap["threshold"] < dear["threshold"]
    assert cheap["delay"]["x2"] < dear["delay"]["x2"] < dear["delay"]["x1.5"]
    shown = leeway("calibrate", "elec", "--arl0", "2000").stdout
    assert "errs on" in shown and "2,000 rows" in shown
    assert leeway("calibrate", "nobody").exit_code != 0
