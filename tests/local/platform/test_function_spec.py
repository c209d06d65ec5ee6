"""What the laptop reads in a Nuclio document, and what it refuses."""

import base64

import pytest

from leeway.errors import PlatformError
from leeway.local.function_spec import FunctionSpec

KAFKA = {"brokers": "one:9092", "topics": "elec"}


def read(annotations=None, name="f", **spec):
    spec.setdefault("build", {"functionSourceCode": base64.b64encode(b"x").decode()})
    return FunctionSpec.read({"metadata": {"name": name, "annotations": annotations or {}}, "spec": spec})


def test_a_v3io_stream_trigger_names_an_embedded_stream():
    attributes = {"containerName": "users", "streamPath": "/admin/elec", "consumerGroup": "g"}
    triggers = read(triggers={"s": {"kind": "v3ioStream", "attributes": attributes, "maxWorkers": 2}}).triggers
    assert [(t.kind, t.attributes["url"], t.workers, t.configured) for t in triggers] == [
        ("stream", "users/admin/elec", 2, "v3ioStream")
    ]


def test_the_annotation_adds_the_stream_that_a_variable_names_and_no_http():
    env = [{"name": "INFERENCE_STREAM", "value": "users/admin/elec"}]
    (trigger,) = read({"leeway/stream-from": "INFERENCE_STREAM"}, env=env).triggers
    assert (trigger.kind, trigger.attributes["url"], trigger.explicit_ack) == (
        "stream",
        "users/admin/elec",
        "explicitOnly",
    )


def test_the_annotation_adds_nothing_beside_a_stream_trigger():
    env = [{"name": "INFERENCE_STREAM", "value": "users/admin/elec"}]
    given = {"s": {"kind": "v3ioStream", "attributes": {"containerName": "a", "streamPath": "b"}}}
    triggers = read({"leeway/stream-from": "INFERENCE_STREAM"}, env=env, triggers=given).triggers
    assert [trigger.attributes["url"] for trigger in triggers] == ["a/b"]


def test_the_variable_of_the_annotation_must_be_set():
    with pytest.raises(PlatformError, match="INFERENCE_STREAM is not set"):
        read({"leeway/stream-from": "INFERENCE_STREAM"})


def test_a_kafka_trigger_is_a_stream_by_its_url():
    attributes = {"brokers": ["one:9092", "two:9092"], "topics": ["elec"], "initialOffset": "latest"}
    trigger = read(triggers={"k": {"kind": "kafka-cluster", "attributes": attributes}}).triggers[0]
    assert (trigger.kind, trigger.configured) == ("stream", "kafka-cluster")
    assert trigger.attributes["url"] == "kafka://one:9092,two:9092/elec"
    assert trigger.attributes["seekTo"] == "latest"


def test_workers_are_counted_under_both_names_and_cron_has_one():
    triggers = {
        "a": {"kind": "http", "numWorkers": 3, "maxWorkers": 9},
        "b": {"kind": "http", "maxWorkers": 4},
        "c": {"kind": "cron", "maxWorkers": 4},
    }
    assert [trigger.workers for trigger in read(triggers=triggers).triggers] == [3, 4, 1]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"triggers": {"k": {"kind": "kafka"}}}, r"topics \[\] of brokers \[\]; give one topic"),
        ({"triggers": {"k": {"kind": "kafka", "attributes": {**KAFKA, "topics": ["a", "b"]}}}}, "give one topic"),
        (
            {"triggers": {"k": {"kind": "kafka", "attributes": {**KAFKA, "sasl": {"enable": True, "password": "x"}}}}},
            "set LEEWAY_KAFKA_OPTIONS",
        ),
        (
            {"triggers": {"n": {"kind": "nats"}}},
            "'nats', which the laptop cannot run: it has http, cron, v3ioStream and",
        ),
        ({"triggers": {"h": {"kind": "http", "numWorkers": 1000}}}, "wants 1000 workers"),
        ({"triggers": {"h": {"kind": "http", "numWorkers": "2"}}}, "wants '2' workers"),
        ({"env": [{"name": "S", "valueFrom": {"secretKeyRef": {}}}]}, "S comes from a Kubernetes secret"),
        ({"handler": "no colon"}, "'no colon' is not of the form 'module:function'"),
        ({"build": {"functionSourceCode": "%%%"}}, "not base64"),
        ({"build": {"path": "https://example.com/x.zip"}}, "is not on this machine"),
        ({"build": {"path": "/gone/main.py"}}, "'/gone/main.py' is not there"),
        ({"build": {}, "image": "mlrun/mlrun"}, "the image 'mlrun/mlrun' cannot run without containers"),
        ({"runtime": "nodejs"}, "runtime 'nodejs' cannot run"),
    ],
)
def test_what_cannot_run_is_refused_with_what_to_do(spec, said):
    with pytest.raises(PlatformError, match=said):
        read(**spec)


@pytest.mark.parametrize("name", ["", "..", "a/b", "A", "-a", "a-", "a" * 64, None, 7])
def test_a_name_that_is_no_folder_name_is_refused(name):
    with pytest.raises(PlatformError, match="is not a function name"):
        read(name=name)


def test_without_a_handler_it_is_the_files_own(tmp_path):
    (tmp_path / "entry.py").write_text("")
    spec = read(build={"path": str(tmp_path / "entry.py")})
    assert (spec.module, spec.function) == ("entry", "handler")
    assert (read().module, read().function) == ("main", "handler")
