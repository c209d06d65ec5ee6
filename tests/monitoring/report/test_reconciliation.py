from monitoring.reconciliation import Baseline, Reconciliation


def reconciled(run, since=None):
    return Reconciliation.since(since or run.begin, run.settings, run.queries)


def test_stream_archive_and_counters_agree(run, maker):
    for i in range(5):
        maker.predict("a", f"r{i}", [[0.9, 0.1, 0.1], [0.1, 0.1, 0.1]])
        maker.truth("a", f"r{i}", [1, 0])
    run.take(maker)
    found = reconciled(run)
    assert found.recorded == found.archived == {"prediction": 5, "feedback": 5}
    assert found.counts["predictions"] == {"counted": 5, "duplicate_id": 0, "test": 0, "rows": 10}
    assert found.counts["feedback"]["joined"] == 10


def test_an_id_and_a_truth_that_came_twice_are_recorded_twice_and_counted_once(run, maker):
    maker.predict("a", "x")
    maker.predict("a", "x")
    maker.truth("a", "x", [1])
    maker.truth("a", "x", [1])
    run.take(maker)
    found = reconciled(run)
    assert found.recorded == found.archived == {"prediction": 2, "feedback": 2}
    assert (found.counts["predictions"]["counted"], found.counts["predictions"]["duplicate_id"]) == (1, 1)
    assert (found.counts["feedback"]["joined"], found.counts["feedback"]["duplicate"]) == (1, 1)


def test_a_record_that_the_stream_holds_twice_is_one_record(run, maker):
    maker.predict("a", "x")
    maker.messages.append(maker.messages[0]._replace(offset=1))
    run.take(maker)
    found = reconciled(run)
    assert found.recorded["prediction"] == found.archived["prediction"] == 1
    assert found.counts["repeated"] == 1


def test_packed_records_are_counted_one_by_one(run, maker):
    maker.append(maker.prediction("a", "x"), maker.prediction("a", "y"))
    run.take(maker)
    found = reconciled(run)
    assert found.recorded["prediction"] == found.archived["prediction"] == 2


def test_records_of_another_deployment_are_not_counted_in(run, maker):
    maker.predict("a", "x")
    maker.predict("b", "x")
    run.take(maker)
    found = reconciled(run)
    assert found.recorded["prediction"] == found.archived["prediction"] == 1
    assert found.foreign == 1


def test_what_came_before_a_baseline_is_left_out_everywhere(run, maker):
    maker.predict("a", "x")
    maker.truth("a", "x", [1])
    run.take(maker)
    since = Baseline.now(run.settings, run.queries, "s", "shop/server/a")
    maker.predict("a", "y")
    run.take(maker)
    found = reconciled(run, Baseline.from_json(since.to_json()))
    assert found.recorded == found.archived == {"prediction": 1, "feedback": 0}
    assert found.counts["predictions"]["counted"] == 1
    assert found.counts["feedback"]["joined"] == 0


def test_nothing_recorded_is_nothing_rather_than_an_error(run):
    found = reconciled(run)
    assert found.recorded == found.archived == {"prediction": 0, "feedback": 0}
