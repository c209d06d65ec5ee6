"""A real Apache Kafka of one process (KRaft), from the jars that install.sh fetched."""

import base64
import shutil
from pathlib import Path
from uuid import uuid4

from .server import INSTALLED, Server, free_port

_JARS = INSTALLED / "kafka"
_PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{controller}{more_listeners}
advertised.listeners=PLAINTEXT://127.0.0.1:{plain}{more_listeners}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=4500
broker.heartbeat.interval.ms=1500
num.network.threads=2
num.io.threads=2
log.dirs={data}
"""
_SECURITY = """
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config={modules}.plain.PlainLoginModule required user_{user}="{password}";
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={modules}.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={folder}/server.pem
"""
_MODULES = "org.apache.kafka.common.security"


class KafkaBroker(Server):
    """After `kill`, its old self must expire before it serves again: some seconds, fewer than by default. The
    controller has half a heartbeat's interval to answer one, and a broker that gets no answers never starts: on a busy
    machine 500 ms were too few."""

    name = "kafka"

    @classmethod
    def missing(cls) -> str:
        if not shutil.which("java"):
            return "Java for Kafka (Debian: apt-get install default-jre-headless maven)"
        return "" if _JARS.exists() else "Apache Kafka (sh tests/engines/install.sh)"

    @property
    def url(self) -> str:
        return f"kafka://127.0.0.1:{self.port}"

    def prepare(self) -> None:
        self._format(_PROPERTIES.format(
            plain=self.port, controller=free_port(), more_listeners="", data=self.folder / "data"
        ))  # fmt: skip

    def command(self) -> list[str]:
        return self._java("kafka.Kafka", "server.properties")

    def _format(self, properties: str, *more: str) -> None:
        (self.folder / "server.properties").write_text(properties)
        cluster = base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
        format = ["format", f"--cluster-id={cluster}", "-c", "server.properties", *more]
        self.run(*self._java("kafka.tools.StorageTool", *format))

    def _java(self, program: str, *arguments: str) -> list[str]:
        options = ["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        return ["java", *options, quiet, "-cp", f"{_JARS}/*", program, *arguments]


class SecureKafkaBroker(KafkaBroker):
    """Only with TLS, of a certificate that `ca` vouches for, and a password, as PLAIN or SCRAM-SHA-512."""

    name = "secure_kafka"
    user_name, password = "leeway", "of-the-tests"

    @classmethod
    def missing(cls) -> str:
        return super().missing() or ("" if shutil.which("openssl") else "openssl (Debian: apt-get install openssl)")

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    def prepare(self) -> None:
        self.run(
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "ca.pem",
            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2",
        )  # fmt: skip
        (self.folder / "server.pem").write_text((self.folder / "key.pem").read_text() + self.ca.read_text())
        properties = _PROPERTIES.format(
            plain=free_port(), controller=free_port(), more_listeners=f",SASL_SSL://127.0.0.1:{self.port}",
            data=self.folder / "data",
        )  # fmt: skip
        properties += _SECURITY.format(
            modules=_MODULES, user=self.user_name, password=self.password, folder=self.folder
        )  # fmt: skip
        scram = f"SCRAM-SHA-512=[name={self.user_name},password={self.password}]"
        self._format(properties, "--add-scram", scram)
