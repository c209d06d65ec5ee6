"""What is Kafka's own: how topics are made and checked, groups that tools see, a broker that dies."""

import json
from contextlib import closing
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

from leeway.backends import connect
from leeway.backends.kafka_options import kafka_options
from leeway.errors import StoreError
from leeway.settings import Settings


def needs_kafka(test):
    return pytest.mark.slow(pytest.mark.engine("kafka")(test))


@pytest.fixture
def servers(kafka):
    return {"bootstrap.servers": kafka.url.removeprefix("kafka://")}


@pytest.fixture
def url(kafka):
    return f"{kafka.url}/t{uuid4().hex[:8]}"


def topic_of(url):
    return url.rpartition("/")[2]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", {}),
        ('{"linger.ms": 5, "debug": ""}', None),
        (
            '{"sasl_user": "me", "sasl_pass": "x"}',
            {
                "sasl.username": "me", "sasl.password": "x", "sasl.mechanism": "PLAIN",
                "security.protocol": "SASL_PLAINTEXT",
            },
        ),
        (
            '{"security_protocol": "SASL_SSL", "sasl_mechanism": "SCRAM-SHA-512", "sasl.username": "me", '
            '"ssl_cafile": "ca.pem", "ssl_check_hostname": false}',
            {
                "security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "me",
                "ssl.ca.location": "ca.pem", "ssl.endpoint.identification.algorithm": "none",
            },
        ),
        ('{"tls_enable": true}', {"security.protocol": "SSL"}),
        (
            '{"tls_enable": true, "sasl_user": "me", "sasl_handshake": true}',
            {"sasl.username": "me", "sasl.mechanism": "PLAIN", "security.protocol": "SASL_SSL"},
        ),
        ('{"enable.ssl.certificate.verification": true}', {"enable.ssl.certificate.verification": "true"}),
    ],
)  # fmt: skip
def test_options_have_the_names_of_mlrun_or_of_librdkafka(given, expected):
    if expected is None:
        with pytest.raises(StoreError, match="'debug'"):
            kafka_options(given)
    else:
        assert kafka_options(given) == expected


@needs_kafka
def test_a_topic_is_made_with_the_brokers_time(url, servers):
    connect.stream(url, Settings(stream_shards=3)).close()
    admin, resource = AdminClient(servers), ConfigResource(ConfigResource.Type.TOPIC, topic_of(url))
    found = admin.describe_configs([resource])[resource].result()
    assert found["message.timestamp.type"].value == "LogAppendTime"
    assert len(admin.list_topics(topic_of(url)).topics[topic_of(url)].partitions) == 3


@needs_kafka
def test_a_topic_with_the_clients_time_is_refused_with_the_command_that_mends_it(url, servers):
    admin = AdminClient(servers)
    admin.create_topics([NewTopic(topic_of(url), 1, 1)])[topic_of(url)].result()
    with pytest.raises(
        StoreError, match=rf"CreateTime.*kafka-configs\.sh .*--entity-name {topic_of(url)} --add-config "
    ):
        connect.stream(url, Settings())


@needs_kafka
def test_what_a_group_committed_is_seen_by_kafkas_own_tools(url, servers):
    with closing(connect.stream(url, Settings())) as stream:
        stream.append([("k", b"")] * 5)
        stream.commit("concept-drift", 0, 4)
    consumer = Consumer({**servers, "group.id": "concept-drift"})
    assert consumer.committed([TopicPartition(topic_of(url), 0)])[0].offset == 4
    consumer.close()


@needs_kafka
def test_what_was_confirmed_outlives_a_broker_that_is_killed(url, kafka):
    with closing(connect.stream(url, Settings())) as stream:
        taken = sum(stream.append([("k", b"%d" % i) for i in range(j, j + 100)]) for j in range(0, 1_000, 100))
        assert taken == 1_000
        kafka.kill()
        kafka.start()
        assert stream.append([("k", b"1000")]) == 1
        assert [int(m.value) for m in stream.read(0, 0, 2_000)] == list(range(1_001))


@pytest.fixture
def secured(secure_kafka):
    """Opens a stream of the broker that wants TLS and a password, named as in MLRun's profile."""

    def open_it(name=None, **more):
        given = {
            "sasl_user": secure_kafka.user_name, "sasl_pass": secure_kafka.password, "tls_enable": True,
            "ssl_cafile": str(secure_kafka.ca), **more,
        }  # fmt: skip
        options = json.dumps({key: value for key, value in given.items() if value is not None})
        url = f"{secure_kafka.url}/{name or f't{uuid4().hex[:8]}'}"
        return connect.stream(url, Settings(kafka_options=options, stream_timeout_s=5.0))

    return open_it


def needs_secure_kafka(test):
    return pytest.mark.slow(pytest.mark.engine("secure_kafka")(test))


@needs_secure_kafka
@pytest.mark.parametrize("mechanism", [None, "SCRAM-SHA-512"])
def test_a_broker_that_wants_tls_and_a_password_gets_them(secured, mechanism):
    with closing(secured(sasl_mechanism=mechanism)) as stream:
        assert stream.append([("k", b"1"), ("k", b"2")]) == 2
        assert [message.value for message in stream.read(0, 0, 9)] == [b"1", b"2"]
        stream.commit("concept-drift", 0, 1)
        assert stream.committed("concept-drift", 0) == 1


@needs_secure_kafka
@pytest.mark.parametrize(
    "wrong",
    [
        {"sasl_pass": "s3cret"},
        {"sasl_pass": "s3cret", "sasl_mechanism": "SCRAM-SHA-512"},
        {"ssl_cafile": None},
        {"tls_enable": False},
    ],
)
def test_the_wrong_password_authority_or_protocol_is_refused_and_shown_to_nobody(secured, wrong):
    with pytest.raises(StoreError, match="127") as refused:
        secured(**wrong)
    assert "s3cret" not in str(refused.value)
