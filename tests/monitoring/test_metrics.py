"""What Prometheus is told: the numbers of the stores, under labels that nobody can multiply."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from leeway.backends import connect
from leeway.settings import Settings
from monitoring.counts import Counts
from monitoring.metrics import MOST, metrics
from monitoring.packing import pack
from monitoring.projection import COUNTS, ENDPOINT, Counted
from monitoring.queries import Queries
from monitoring.watch import NO_PROFILE, Watched

NAMES = st.lists(st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=20), max_size=5)


def samples(text):
    return [sample for family in text_string_to_metric_families(text.decode()) for sample in family.samples]


def value_of(found, name, **labels):
    (value,) = [each.value for each in found if each.name == name and labels.items() <= each.labels.items()]
    return value


def test_numbers_are_those_of_the_stores(make_reader, maker):
    reader = make_reader(window_rows=50, detector_arl0=2_000)
    for i in range(300):
        far = 3.0 if i >= 150 else 0.0
        maker.predict("a", f"r{i}", [[0.9, maker.random.random() + far, 0.5]])
        maker.appended += i % 10 == 0
        maker.truth("a", f"r{i}", [int(i % 10 > 0)])
    connect.stream("s", reader.settings).close()
    reader.consumer().consume(maker.messages)
    with Queries(reader.settings) as queries:
        found = samples(metrics(queries, reader.settings, maker.appended))
    endpoint = {"endpoint": "shop/server/a/default/a/v1"}
    assert value_of(found, "leeway_records_total", kind="predictions", outcome="counted") == 300
    assert value_of(found, "leeway_error_ratio", **endpoint) == 0.1
    assert value_of(found, "leeway_label_coverage_ratio", **endpoint) == 1
    assert 0 < value_of(found, "leeway_label_lag_seconds", **endpoint) <= 0.1
    assert value_of(found, "seldon_metric_drift_is_drift", detector="data_drift", **endpoint) == 1
    assert value_of(found, "seldon_metric_drift_is_drift", detector="concept_drift", **endpoint) == 0
    assert value_of(found, "seldon_metric_drift_distance", detector="data_drift", **endpoint) > 2


def test_an_incident_of_every_detector_is_told(make_reader, maker):
    reader = make_reader(window_rows=1_000, detector_arl0=2_000, slices="demand>0.5", slices_rows=100)
    for i in range(1_600):
        row = [maker.random.random() for _ in range(3)]
        wrong = maker.random.random() < (0.6 if i > 800 and row[1] < 0.5 else 0.1)
        maker.predict("a", f"r{i}", [row])
        maker.truth("a", f"r{i}", [int(row[0] > 0.5) ^ wrong])
    connect.stream("s", reader.settings).close()
    reader.consumer().consume(maker.messages)
    with Queries(reader.settings) as queries:
        found = samples(metrics(queries, reader.settings, maker.appended))
        opened = {each.detector for each in queries.incidents() if each.state == "open"}
    assert "concept_drift_slice" in opened
    said = {each.labels["detector"] for each in found if each.name == "seldon_metric_drift_is_drift" and each.value}
    assert said == opened


def test_no_client_makes_series(tmp_path):
    home = Settings(home=tmp_path)
    shared = connect.state(home, "shared")

    @settings(max_examples=30, deadline=None)
    @given(NAMES, st.integers(0, 3 * MOST))
    def check(names, more):
        every = {*names, *(f"p/f/{i}" for i in range(more))}
        counted = msgspec.json.encode(Counts())
        shared.commit(
            {f"{COUNTS}s/0/{name}": msgspec.json.encode(Counted(name, msgspec.Raw(counted))) for name in every}
            | {ENDPOINT + name: pack(Watched(name, NO_PROFILE)) for name in every}
        )
        with Queries(home) as queries:
            found = samples(metrics(queries, home, 1_700_000_000))
        assert len({each.labels["deployment"] for each in found if "deployment" in each.labels}) <= MOST
        assert len({each.labels["endpoint"] for each in found if "endpoint" in each.labels}) <= MOST
        assert len(found) < 40 * MOST

    check()
    shared.close()
