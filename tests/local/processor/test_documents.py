"""What Nuclio's processor is told to run."""

import json

import pytest

from leeway.errors import PlatformError
from leeway.local.function_spec import FunctionSpec
from leeway.local.processor.documents import platform_yaml, processor_yaml
from leeway.local.processor.nuclio_processor import NuclioProcessor
from leeway.settings import Settings

KAFKA = {
    "kind": "kafka-cluster", "explicitAckMode": "explicitOnly", "numWorkers": 2,
    "attributes": {"brokers": ["one:9092", "two:9092"], "topics": ["elec"]},
}  # fmt: skip


def spec(triggers, env=(), **more):
    entries = [{"name": name, "value": value} for name, value in dict(env).items()]
    annotations = more.pop("annotations", {})
    return FunctionSpec.read(
        {
            "metadata": {"name": "drift", "annotations": annotations},
            "spec": {"triggers": triggers, "env": entries, "build": {"functionSourceCode": "cGFzcw=="}, **more},
        }
    )


def written(read, ports=None, **settings):
    settings = Settings(**settings)
    shared = NuclioProcessor.of(Settings(nuclio_processor="processor")).share(read.triggers, settings)
    return processor_yaml(read, shared, ports or {}, settings)["spec"]["triggers"]


def test_an_http_trigger_listens_on_the_loopback_with_leeways_limits_and_the_documents_own():
    trigger = {
        "kind": "http", "maxWorkers": 3, "workerTerminationTimeout": "1m30s",
        "workerAvailabilityTimeoutMilliseconds": 5,
        "attributes": {"port": 9000, "readBufferSize": 1, "cors": {"enabled": True}},
    }  # fmt: skip
    made = written(spec({"web": trigger}), {"web": 9000})["web"]
    assert (made["url"], made["numWorkers"], made["workerTerminationTimeout"]) == ("127.0.0.1:9000", 3, "90s")
    assert made["workerAvailabilityTimeoutMilliseconds"] == 5
    assert made["attributes"] == {
        "maxRequestBodySize": 32 << 20, "readBufferSize": 1, "cors": {"enabled": True}
    }  # fmt: skip


def test_a_kafka_trigger_acknowledges_explicitly_from_the_earliest_on_with_static_allocation():
    made = written(spec({"k": KAFKA}))["k"]
    assert (made["kind"], made["explicitAckMode"], made["numWorkers"]) == ("kafka-cluster", "explicitOnly", 2)
    assert made["attributes"] == {
        "topics": ["elec"], "brokers": ["one:9092", "two:9092"], "consumerGroup": "drift", "initialOffset": "earliest",
        "workerAllocationMode": "static", "sessionTimeout": "6s",
    }  # fmt: skip


def test_the_stream_that_a_variable_names_is_a_kafka_trigger_too():
    read = spec({}, {"INFERENCE_STREAM": "users/elec"}, annotations={"leeway/stream-from": "INFERENCE_STREAM"})
    made = written(read, stream="kafka://one:9092")["stream"]
    assert (made["attributes"]["topics"], made["attributes"]["brokers"]) == (["users.elec"], ["one:9092"])
    assert made["explicitAckMode"] == "explicitOnly"


@pytest.mark.parametrize(
    "trigger",
    [
        {"kind": "v3ioStream", "attributes": {"containerName": "users", "streamPath": "elec"}},
        {**KAFKA, "attributes": {**KAFKA["attributes"], "initialOffset": "2026-11-24T12:00:00Z"}},
    ],
    ids=["embedded", "from a time"],
)
def test_what_nuclio_cannot_read_stays_with_leeways_own_workers(trigger):
    assert written(spec({"s": trigger})) == {}


def test_tls_and_sasl_have_the_names_of_nuclios_trigger(tmp_path):
    (tmp_path / "ca.pem").write_text("certificate")
    options = {
        "security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-512", "sasl_user": "me", "sasl_pass": "secret",
        "ssl_cafile": str(tmp_path / "ca.pem"), "ssl_check_hostname": False,
    }  # fmt: skip
    made = written(spec({"k": KAFKA}), kafka_options=json.dumps(options))["k"]["attributes"]
    assert made["sasl"] == {
        "enable": True, "handshake": True, "mechanism": "SCRAM-SHA-512", "user": "me", "password": "secret"
    }  # fmt: skip
    assert (made["tls"], made["caCert"]) == ({"enable": True, "insecureSkipVerify": True}, "certificate")
    with pytest.raises(PlatformError, match=r"knows nothing like fetch\.max\.bytes"):
        written(spec({"k": KAFKA}), kafka_options='{"fetch.max.bytes": 1}')


def test_a_clock_that_is_none_is_refused_in_leeways_words():
    with pytest.raises(PlatformError, match="neither attributes"):
        written(spec({"c": {"kind": "cron"}}))


def test_nothing_listens_on_an_interface_that_others_reach():
    made = platform_yaml(9001)
    assert made["webAdmin"] == {"enabled": False}
    assert made["healthCheck"]["listenAddress"] == "127.0.0.1:9001"
