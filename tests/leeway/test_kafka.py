"""What is Kafka's own: how topics are made and checked, groups that tools see, a broker that dies."""

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
