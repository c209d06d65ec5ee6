from prometheus_client.parser import text_string_to_metric_families


def samples(server):
    text = server.get("/metrics").raw.decode()
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_requests_and_durations_are_counted_by_deployment(server):
    for body in ({"instances": [[1, 2, 3]]}, {"instances": [[1, 2, 3]]}, {"instances": []}):
        server.post("/linear/predict", body)
    server.post("/linear/feedback", {"id": "a", "truth": [1]})
    found = samples(server)
    assert found["leeway_requests_total", "200", "infer", "linear"] == 2
    assert found["leeway_requests_total", "400", "infer", "linear"] == 1
    assert found["leeway_requests_total", "200", "feedback", "linear"] == 1
    assert found["leeway_request_duration_seconds_count", "linear"] == 4
    assert found["leeway_request_duration_seconds_bucket", "+Inf", "linear"] == 4
    assert found["leeway_request_duration_seconds_sum", "linear"] > 0
    assert found["leeway_outbox_records",] >= 0 and found["leeway_outbox_bytes",] >= 0


def test_what_nobody_serves_makes_no_series(server):
    before = set(samples(server))
    for i in range(20):
        server.post(f"/unknown-{i}/predict", {"instances": [[1, 2, 3]]})
        server.get(f"/v2/models/unknown-{i}")
    assert set(samples(server)) == before


def test_each_model_says_who_it_is(server):
    known = server.get("/v2/models/forest").json
    labels = sorted(["forest", known["versions"][0], "RandomForestClassifier", known["model_endpoint_uid"]])
    assert samples(server)["leeway_model_info", *labels] == 1
