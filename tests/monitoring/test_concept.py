"""Further detectors, slices and incidents of an endpoint's errors, through the consumer."""

from dataclasses import replace

import msgspec
import pytest

from leeway.errors import SettingError
from leeway.profile import Profile
from leeway.settings import Settings
from monitoring.concept import ConceptWatch, check
from monitoring.queries import Queries
from monitoring.verdicts import CLEARS, DETECTED

ENDPOINT = "shop/server/a/default/a/v1"
ALSO = "ddm, eddm,pagehinkley,hddm_a,hddm_w"


def labelled(maker, count, prefix, wrong):
    """Requests with their truth; `wrong` gives the error rate of a row."""
    for i in range(count):
        row = [maker.random.random() for _ in range(3)]
        record = maker.prediction("a", f"{prefix}{i}", [row])
        maker.append(record)
        maker.truth("a", f"{prefix}{i}", [record.resp.outputs[0] ^ (maker.random.random() < wrong(row))])


@pytest.fixture
def drifting(maker):
    """Errors rise where the demand is high, and come back."""
    labelled(maker, 600, "a", lambda row: 0.1)
    labelled(maker, 500, "b", lambda row: 0.7 if row[1] > 0.5 else 0.1)
    labelled(maker, 900, "c", lambda row: 0.05)
    return maker.messages


def test_further_detectors_have_verdicts_and_incidents_like_the_default(make_reader, drifting):
    reader = make_reader(detector_also=ALSO)
    reader.consumer().consume(drifting)
    with Queries(reader.settings) as queries:
        found = {incident.detector: incident for incident in queries.incidents()}
        verdicts = queries.verdicts(ENDPOINT, "ddm")
    assert {"concept_drift", "ddm", "eddm", "hddm_a", "hddm_w"} <= set(found)
    assert found["concept_drift"].state == found["ddm"].state == "cleared"
    assert found["ddm"].kind == "concept_drift"
    assert [v.rows for v in verdicts if v.status != DETECTED and CLEARS not in v.details] == [500, 500, 500, 500]


def test_the_alarm_of_a_slice_names_it(make_reader, drifting):
    reader = make_reader(slices="demand>0.5; region", slices_rows=250, detector_arl0=5_000)
    reader.consumer().consume(drifting)
    with Queries(reader.settings) as queries:
        found = [incident for incident in queries.incidents() if incident.detector == "concept_drift_slice"]
        details = found[0].opened.details
    named = {incident.feature: incident.state for incident in found}
    assert named["demand>0.5"] == "cleared"
    assert "not demand>0.5" not in named
    assert details["slicings"] == 2
    assert details["arl0"] == 10_000


def test_restarts_show_in_no_verdict_of_any_detector(make_reader, drifting):
    outcomes = []
    for rows, step in ((5_000, len(drifting)), (70, 901)):
        reader = make_reader(detector_also=ALSO, slices="demand>0.5;region", slices_rows=100, range_rows=rows)
        for start in range(0, len(drifting), step):
            reader.consumer().consume(drifting[start : start + step])
        with Queries(reader.settings) as queries:
            outcomes.append((queries.verdicts(ENDPOINT), queries.incidents()))
    assert outcomes[0] == outcomes[1]


def test_state_of_before_there_were_versions_is_read(profile_bytes):
    watch = ConceptWatch("e", 0, Profile.from_bytes(profile_bytes), Settings(detector_arl0=200))
    old = {"warming": [], "detector": {"statistic": 0.25}, "stretch": {"rows": 7, "errors": 1}, "rise": {"rows": 2}}
    watch.restore(old, {})
    kept = watch.snapshot()["watches"]["concept_drift"]
    assert kept["detector"] == {"statistic": 0.25}
    assert (kept["stretch"]["rows"], kept["rise"]["rows"]) == (7, 2)


def test_a_changed_setting_takes_up_what_was_kept(profile_bytes):
    profile = Profile.from_bytes(profile_bytes)
    before = Settings(detector_arl0=200, detector_also="ddm", slices="demand")
    kept = msgspec.json.decode(msgspec.json.encode(ConceptWatch("e", 0, profile, before).snapshot()))
    after = ConceptWatch("e", 0, profile, replace(before, detector_also="eddm", slices="price"))
    after.restore(kept, {})
    assert set(after.snapshot()["watches"]) == {"concept_drift", "eddm"}


@pytest.mark.parametrize(
    "setting,named",
    [({"detector_also": "adwin"}, "adwin"), ({"slices": "a<north"}, "a<north"), ({"detector_preset": "bold"}, "bold")],
)
def test_a_setting_that_makes_no_sense_is_refused_at_the_start(setting, named):
    with pytest.raises(SettingError, match=named):
        check(Settings(**setting))
