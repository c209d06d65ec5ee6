"""What Prometheus hears of the platform."""

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from leeway.local.platform_metrics import MOST, platform_metrics


def samples(statuses):
    text = platform_metrics(statuses).decode()
    return {
        (sample.name, sample.labels.get("function", "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def slot(serving=True, restarts=0):
    return {"serving": serving, "restarts": restarts}


def test_functions_and_their_workers_are_counted():
    found = samples({
        "good": {"state": "ready", "workers": [slot(), slot(restarts=2)]},
        "bad": {"state": "unhealthy", "workers": [slot(False, 5)]},
        "new": {"state": "building"},
    })  # fmt: skip
    assert found["leeway_function_ready", "good"] == 1 and found["leeway_function_ready", "bad"] == 0
    assert (found["leeway_function_workers", "good"], found["leeway_function_workers_wanted", "good"]) == (2, 2)
    assert (found["leeway_function_workers", "bad"], found["leeway_function_workers_wanted", "bad"]) == (0, 1)
    assert found["leeway_function_restarts_total", "bad"] == 5 and found["leeway_function_restarts_total", "good"] == 2
    assert found["leeway_function_workers_wanted", "new"] == 0


@settings(deadline=None, max_examples=30)
@given(st.sets(st.text(min_size=1), max_size=5), st.integers(0, 2 * MOST))
def test_no_number_of_functions_makes_more_series(names, more):
    every = {name: {"state": "ready"} for name in {*names, *(f"f-{i}" for i in range(more))}}
    found = samples(every)
    assert len({function for _, function in found if function}) <= MOST
    assert found["leeway_functions_left_out", ""] == max(0, len(every) - MOST)
