"""What a person decides about an incident is in the stream, and changes the reference from there on."""

import msgspec
import numpy as np
import pytest

from leeway.profile import Profile
from leeway.record import DECISION
from monitoring.decisions import reference_after
from monitoring.detectors.data_drift import DataDrift
from monitoring.error_level import error_level_from
from monitoring.incidents import CLEARED, CONFIRMED, DISMISSED, OPEN
from monitoring.queries import Queries

ENDPOINT = "shop/server/a/default/a/v1"
WINDOW = 50


class Story:
    """A stream of windows, and what a reader finds in it."""

    def __init__(self, maker, reader):
        self.maker, self.reader, self.sent = maker, reader, 0

    def windows(self, n, moved=0.0, labelled=False, wrong=0.1):
        for _ in range(n * WINDOW):
            self.maker.appended += 1
            id = f"{len(self.maker.messages)}"
            price, demand, region = (self.maker.random.random() for _ in range(3))
            row = [price, demand + moved, region]
            self.maker.predict("a", id, [row])
            if labelled:
                self.maker.truth("a", id, [int(row[0] > 0.5) ^ (self.maker.random.random() < wrong)])

    def decide(self, do, incident, note=""):
        about = {"do": do, "incident": incident.id, "note": note}
        self.maker.append(self.maker.record(DECISION, "a", decision=about))

    def incidents(self, detector="data_drift"):
        """Consume what is new, in a consumer that starts anew."""
        self.reader.consumer().consume(self.maker.messages[self.sent :])
        self.sent = len(self.maker.messages)
        with Queries(self.reader.settings) as queries:
            return [found for found in queries.incidents(ENDPOINT) if found.detector == detector]


@pytest.fixture
def story(maker, make_reader):
    return Story(maker, make_reader())


@pytest.fixture
def together(story, profile_bytes):
    """How many of these small windows are looked at together: an alarm lasts that long."""
    return DataDrift.fit(Profile.from_bytes(profile_bytes), story.reader.settings).windows


def test_two_quiet_windows_clear_the_incident_of_a_window(story, together):
    story.windows(1, moved=3)
    story.windows(together)  # the last of them is quiet
    assert [found.state for found in story.incidents()] == [OPEN]
    story.windows(1, moved=3)
    story.windows(together)
    assert [found.state for found in story.incidents()] == [OPEN]  # the alarm between them counts anew
    story.windows(1)
    (cleared,) = story.incidents()
    assert (cleared.state, cleared.closed.offset) == (CLEARED, (2 * together + 3) * WINDOW - 1)


def test_a_confirmed_level_is_the_new_reference(story):
    story.windows(2, moved=3)
    (opened,) = story.incidents()
    story.decide("confirm", opened, "the tariff changed")
    story.windows(6, moved=3)
    (confirmed,) = story.incidents()
    assert (confirmed.state, confirmed.note) == (CONFIRMED, "the tariff changed")
    story.windows(2)  # what was normal is not any more
    assert [found.state for found in story.incidents()] == [CONFIRMED, OPEN]


def test_dismissed_rows_join_the_reference(story):
    story.windows(2, moved=0.6)
    (opened,) = story.incidents()
    story.decide("dismiss", opened)
    story.windows(6, moved=0.4)
    assert [found.state for found in story.incidents()] == [DISMISSED]
    story.windows(1, moved=3)  # more than what was dismissed
    assert [found.state for found in story.incidents()] == [DISMISSED, OPEN]


def test_a_cleared_incident_can_still_be_dismissed_and_an_unknown_one_changes_nothing(story, together):
    story.windows(1, moved=3)
    story.windows(together + 1)
    (cleared,) = story.incidents()
    assert cleared.state == CLEARED
    story.decide("dismiss", cleared)
    story.decide("dismiss", cleared)
    story.maker.append(story.maker.record(DECISION, "a", decision={"do": "promote", "weight": 0.1}))
    assert [found.state for found in story.incidents()] == [DISMISSED]
    assert [row["status"] for row in story.reader.table("decision")] == ["applied", "unknown", None]


def test_a_confirmed_error_level_is_set_by_the_next_labelled_rows(maker, make_reader):
    story = Story(maker, make_reader(detector_arl0=5_000, warming_rows=2 * WINDOW))
    story.windows(4, labelled=True, wrong=0.3)
    (opened,) = story.incidents("concept_drift")
    story.decide("confirm", opened)
    story.windows(6, labelled=True, wrong=0.3)
    assert [found.state for found in story.incidents("concept_drift")] == [CONFIRMED]
    story.windows(2, labelled=True, wrong=0.9)  # beyond that level too
    assert [found.state for found in story.incidents("concept_drift")] == [CONFIRMED, OPEN]


def test_dismissed_errors_join_the_error_level(story, profile_bytes):
    story.windows(4, labelled=True, wrong=0.6)
    (opened,) = story.incidents("concept_drift")
    with Queries(story.reader.settings) as queries:
        known = queries.profile(ENDPOINT)
    joined = reference_after("dismiss", opened, known, None, True).errors
    rows, errors = opened.opened.rows, opened.opened.details["errors"]
    assert (joined.rows, joined.errors) == (known.errors.rows + rows, known.errors.errors + errors)
    raised = np.unpackbits(np.frombuffer(joined.sequence, np.uint8), count=joined.rows)
    assert error_level_from(raised).errors == joined.errors


@pytest.mark.parametrize("range_rows", [pytest.param(1, marks=pytest.mark.slow), 7])
def test_where_ranges_end_shows_in_no_decision(story, make_reader, range_rows):
    story.windows(2, moved=3)
    (opened,) = story.incidents()
    story.windows(1, moved=3)
    story.maker.append(
        story.maker.prediction("a", "packed"),
        story.maker.record(DECISION, "a", decision={"do": "confirm", "incident": opened.id}),
        story.maker.prediction("a", "packed too"),
    )
    story.windows(3, moved=3)
    story.windows(3)
    expected = story.incidents()
    other = make_reader(range_rows=range_rows)
    other.consumer().consume(story.maker.messages)
    with Queries(other.settings) as queries:
        found = [each for each in queries.incidents(ENDPOINT) if each.detector == "data_drift"]
        verdicts = queries.verdicts(ENDPOINT)
    assert found == expected
    with Queries(story.reader.settings) as queries:
        assert list(map(msgspec.json.encode, queries.verdicts(ENDPOINT))) == list(map(msgspec.json.encode, verdicts))
