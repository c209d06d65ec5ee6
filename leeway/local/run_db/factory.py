"""The one place where MLRun makes its run DBs: where the URL names no service, it gets the laptop's."""

import functools
from threading import Lock

from leeway.settings import Settings

# What MLRun itself writes where no service is named. It must not be empty, else projects and contexts save nothing.
DBPATH = "./"
_made: dict = {}
_making = Lock()


def apply(module) -> None:
    """Change `mlrun.db.factory`."""
    original = module.RunDBFactory.create_run_db
    if hasattr(original, "__wrapped__"):
        return

    @functools.wraps(original)
    def create_run_db(self, url="", secrets=None, force_reconnect=False):
        url = url or module.mlrun.db.get_or_set_dburl(DBPATH)
        return original(self, url, secrets, force_reconnect) if "://" in str(url) else laptop_run_db()

    module.RunDBFactory.create_run_db = create_run_db


def laptop_run_db():
    """The run DB of this home: one object for all threads."""
    home = Settings.read().home.absolute()
    with _making:
        if home not in _made:
            from .laptop_run_db import LaptopRunDB

            _made[home] = LaptopRunDB(home)
        return _made[home]
