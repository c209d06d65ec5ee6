"""MLRun's run DB on one machine."""

from pathlib import Path
from typing import Any

from mlrun.db.base import RunDBInterface

from leeway.local.home import Home

from .artifacts import Artifacts
from .deploys import Deploys
from .functions import Functions
from .hub_sources import HubSources
from .projects import Projects
from .refusals import refuse
from .runs import Runs
from .secrets import Secrets


class LaptopRunDB(Runs, Artifacts, Functions, Projects, HubSources, Secrets, Deploys, RunDBInterface):
    """All of it in one file of the home. What needs a service is refused, and never answered with nothing."""

    kind = "laptop"

    def __init__(self, home: Path):
        Home.at(home).create()
        super().__init__(home)
        self.token_provider = None

    def connect(self, secrets=None):
        """There is nothing to connect to."""

    def submit_job(self, runspec, schedule=None):
        kind = (runspec.get("function") or {}).get("kind") if isinstance(runspec, dict) else ""
        refuse(
            "submit_job",
            f"a schedule ({schedule})" if schedule else f"a job {f'of kind {kind} ' if kind else ''}elsewhere",
        )

    def paginated_list_runs(self, *args, page=None, page_size=None, page_token=None, **kwargs):
        return self.list_runs(*args, **kwargs), None

    def paginated_list_artifacts(self, *args, page=None, page_size=None, page_token=None, **kwargs):
        return self.list_artifacts(*args, **kwargs), None

    def paginated_list_functions(self, *args, page=None, page_size=None, page_token=None, **kwargs):
        return self.list_functions(*args, **kwargs), None

    def __getattr__(self, name: str) -> Any:
        """What a service has and the interface does not name."""
        if name.startswith("_"):
            raise AttributeError(name)
        return _refusal(name)


def _refusal(name: str) -> Any:
    def refused(*args, **kwargs):
        refuse(name)

    return refused


for _name in LaptopRunDB.__abstractmethods__:
    setattr(LaptopRunDB, _name, staticmethod(_refusal(_name)))
LaptopRunDB.__abstractmethods__ = frozenset()
