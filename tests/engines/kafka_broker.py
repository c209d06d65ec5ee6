"""A real Apache Kafka of one process (KRaft), from the jars that install.sh fetched."""

import base64
import shutil
from uuid import uuid4

from .server import INSTALLED, Server, free_port

_JARS = INSTALLED / "kafka"
_PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
num.network.threads=2
num.io.threads=2
log.dirs={data}
"""


class KafkaBroker(Server):
    """After `kill`, its old self must expire before it serves again: some seconds."""

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
        text = _PROPERTIES.format(port=self.port, controller=free_port(), data=self.folder / "data")
        (self.folder / "server.properties").write_text(text)
        cluster = base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
        self.run(*self._java("kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", "-c", "server.properties"))

    def command(self) -> list[str]:
        return self._java("kafka.Kafka", "server.properties")

    def _java(self, program: str, *arguments: str) -> list[str]:
        options = ["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        return ["java", *options, quiet, "-cp", f"{_JARS}/*", program, *arguments]
