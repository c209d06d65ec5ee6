"""A server that speaks S3: SeaweedFS, from the package that install.sh fetched."""

import http.client
import json

from .server import INSTALLED, Server, free_port

_WEED = INSTALLED / "seaweedfs" / "bin" / "weed"
_KEY, _SECRET = "leeway", "of-the-tests"
_PORTS = ("master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port", "filer.port.grpc")


class S3Server(Server):
    """`url` is that of one of its buckets, with everything that it takes to reach it."""

    name = "s3"

    @classmethod
    def missing(cls) -> str:
        return "" if _WEED.exists() else "SeaweedFS, which speaks S3 (sh tests/engines/install.sh)"

    def __init__(self) -> None:
        super().__init__()
        self._ports = {name: free_port() for name in (*_PORTS, "s3.port.grpc")}

    def url(self, bucket: str, port: int = 0) -> str:
        where = (
            f"endpoint_override=127.0.0.1:{port or self.port}&scheme=http&region=us-east-1&allow_bucket_creation=true"
        )
        return f"s3://{_KEY}:{_SECRET}@{bucket}?{where}"

    @property
    def keys(self) -> tuple[str, str]:
        """The access key and its secret."""
        return _KEY, _SECRET

    def prepare(self) -> None:
        keys = [{"accessKey": _KEY, "secretKey": _SECRET}]
        identities = [{"name": "tests", "credentials": keys, "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]
        (self.folder / "s3.json").write_text(json.dumps({"identities": identities}))
        (self.folder / "data").mkdir()

    def command(self) -> list[str]:
        ports = [f"-{name}={port}" for name, port in self._ports.items()]
        s3 = ["-s3", f"-s3.port={self.port}", "-s3.config=s3.json", "-s3.port.iceberg=0", "-s3.port.lance=0"]
        limits = ["-master.volumeSizeLimitMB=64", "-volume.max=5000"]
        return [
            str(_WEED),
            "server",
            "-dir=data",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-filer",
            *ports,
            *s3,
            *limits,
        ]

    def is_ready(self) -> bool:
        """It answers a request without a signature, with a refusal."""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/")
            return connection.getresponse().status == 403
        except OSError:
            return False
        finally:
            connection.close()
