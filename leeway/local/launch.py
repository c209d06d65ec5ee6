"""What a worker process is told when it is started, as one argument of its command line."""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Launch:
    """Paths are absolute. `control` and `listener` are inherited file descriptors; listener is -1 without http."""

    home: str
    function: str
    code: str
    trigger: str
    worker: int
    log: str
    control: int
    listener: int = -1

    def argument(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def parse(cls, argument: str) -> "Launch":
        return cls(**json.loads(argument))
