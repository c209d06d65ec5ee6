"""The platform's process: `python -P -m leeway.local.supervisor <home> [<fd>]`, one per LEEWAY_HOME.

It serves the dashboard's REST and looks after the workers. When it ends, or is killed, the workers go on; the next
one takes them over. With <fd> it detaches itself and writes one line there when it serves, or why it does not.
"""

import asyncio
import fcntl
import json
import os
import socket
import sys
from dataclasses import asdict
from pathlib import Path

from .home import Home, read_json, write_json
from .process import Process


def main() -> int:
    home = Home(Path(sys.argv[1]))
    notify = int(sys.argv[2]) if len(sys.argv) > 2 else None
    if notify is not None and os.fork():
        return 0
    if notify is not None:
        os.setsid()
    os.chdir(home.path)
    me = Process.current()
    lock = os.open(home.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _tell(notify, f"busy a platform is running already on {home.path}: {_who(home)}")
        return 3
    os.truncate(lock, 0)
    os.write(lock, json.dumps(asdict(me)).encode())  # who wants to stop it need not wait until it serves
    asyncio.run(_serve(home, me, notify))
    return 0


async def _serve(home: Home, me: Process, notify: int | None) -> None:
    import uvicorn

    from .dashboard import Dashboard
    from .functions import Functions
    from .guard import Guard

    listener = _listen(home)
    port = listener.getsockname()[1]
    about = {"pid": me.pid, "started": me.started, "url": f"http://127.0.0.1:{port}"}
    functions = Functions(home, dict(os.environ))
    dashboard = Dashboard(home, functions, {"label": "leeway", "home": str(home.path), **about})
    config = uvicorn.Config(
        Guard(dashboard.application, port),
        lifespan="off",
        access_log=False,
        ws="none",
        log_level="warning",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    await functions.resume()
    write_json(home.platform, about)
    _tell(notify, f"ready {about['url']}")
    await server.serve(sockets=[listener])


def _listen(home: Home) -> socket.socket:
    """The port of last time where it is free."""
    from .listeners import listen

    last = (read_json(home.platform) or {}).get("url", ":0").rpartition(":")[2]
    try:
        return listen(int(last))
    except OSError:
        return listen(0)


def _who(home: Home) -> str:
    about = read_json(home.platform, {})
    return f"pid {about.get('pid', '?')}, {about.get('url', 'not serving yet')}"


def _tell(notify: int | None, line: str) -> None:
    print(line, flush=True)
    if notify is not None:
        try:
            os.write(notify, line.encode() + b"\n")
            os.close(notify)
        except OSError:
            pass  # who started it is gone


if __name__ == "__main__":
    sys.exit(main())
