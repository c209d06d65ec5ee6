"""A stream trigger as Nuclio's Kafka trigger: explicit acknowledgements, static allocation, from the earliest on."""

from typing import Any, NamedTuple

from leeway.backends import connect
from leeway.backends.kafka_options import kafka_options
from leeway.errors import PlatformError
from leeway.settings import Settings

from ..function_spec import Trigger

_SESSION = "6s"  # a member that is killed leaves its group after that; until then nobody gets its partitions
_ENDS = ("earliest", "latest")


class Topic(NamedTuple):
    """Where a trigger reads: host:port each, and the topic's name."""

    brokers: list[str]
    name: str


def topic_of(trigger: Trigger, settings: Settings) -> Topic | None:
    """None where Nuclio's Kafka trigger cannot read it."""
    url = str(trigger.attributes.get("url") or "")
    if trigger.kind != "stream" or _seek(trigger) not in _ENDS or not url:
        return None
    scheme, _, where = connect.address(url, settings).partition("://")
    if scheme != "kafka":
        return None
    brokers, _, name = where.partition("/")
    return Topic(brokers.split(","), name.strip("/").replace("/", "."))


def kafka_trigger(trigger: Trigger, group: str, settings: Settings) -> dict[str, Any]:
    """The trigger in processor.yaml. TLS and SASL come from LEEWAY_KAFKA_OPTIONS: the file is its owner's only."""
    topic = topic_of(trigger, settings)
    assert topic is not None  # whoever asks has asked `topic_of`
    explicit = trigger.explicit_ack.lower() != "disable"
    return {
        "kind": "kafka-cluster",
        "explicitAckMode": trigger.explicit_ack,
        "attributes": {
            "topics": [topic.name],
            "brokers": topic.brokers,
            "consumerGroup": trigger.attributes.get("consumerGroup") or group,
            "initialOffset": _seek(trigger),
            "workerAllocationMode": "static" if explicit else "pool",
            "sessionTimeout": _SESSION,
            **_security(kafka_options(settings.kafka_options)),
        },
    }


def _seek(trigger: Trigger) -> str:
    return str(trigger.attributes.get("seekTo") or "earliest").lower()


def _security(options: dict[str, str]) -> dict[str, Any]:
    """librdkafka's names as those of Nuclio's trigger."""
    protocol, named = options.get("security.protocol", "PLAINTEXT").upper(), dict(options)
    made: dict[str, Any] = {}
    if protocol.endswith("SSL"):
        check = named.pop("ssl.endpoint.identification.algorithm", "https")
        made["tls"] = {"enable": True, "insecureSkipVerify": check == "none"}
        for theirs, ours in _FILES.items():
            if path := named.pop(theirs, ""):
                with open(path) as file:
                    made[ours] = file.read()
    if protocol.startswith("SASL"):
        made["sasl"] = {
            "enable": True, "handshake": True, "mechanism": named.pop("sasl.mechanism", "PLAIN"),
            "user": named.pop("sasl.username", ""), "password": named.pop("sasl.password", ""),
        }  # fmt: skip
    named.pop("security.protocol", None)
    if named:
        names = ", ".join(sorted(named))
        raise PlatformError(f"LEEWAY_KAFKA_OPTIONS: Nuclio's Kafka trigger knows nothing like {names}; leave it out")
    return made


_FILES = {
    "ssl.ca.location": "caCert",
    "ssl.key.location": "accessKey",
    "ssl.certificate.location": "accessCertificate",
}
