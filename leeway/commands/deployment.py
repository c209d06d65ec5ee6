"""A model of anybody's, brought into service: copied, profiled, deployed and watched."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leeway.errors import LeewayError
from leeway.model_hash import model_hash
from leeway.profile import Profile
from leeway.settings import Settings

PROFILE_FILE, ROWS_FILE = "leeway-profile.json", "leeway-rows.json"


@dataclass(frozen=True)
class Deployment:
    """`name` is that of the deployment; its function is called so too, and `<name>-drift` watches it."""

    name: str
    project: str
    model: Path

    @classmethod
    def of(cls, model: Path, name: str | None, project: str) -> "Deployment":
        """LeewayError where the name cannot be part of a path and of a variable."""
        name = name or re.sub(r"\W+", "_", model.stem).strip("_").lower()
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
            raise LeewayError(f"{name!r} cannot name a deployment: a letter, then at most 39 of a-z, 0-9 and _; --name")
        return cls(name, project, model)

    def deploy(self, settings: Settings, profile: Profile | None, answers: bytes = b"") -> dict[str, Any]:
        """Deploy the model server and, where there is a profile, the drift function on its stream. `answers` are what
        monitoring.known_answers gave."""
        served = self._copy(settings.home.absolute(), profile, answers)
        project, stream = mlrun_project(self.project, settings), f"users/admin/{self.name}"
        function = self.name.replace("_", "-")
        model = {f"SERVING_MODEL_{self.name}": str(served), f"SERVING_MODEL_HASH_{self.name}": model_hash(served)}
        url = deploy_function(project, "hub://leeway/model_server", function, {**model, "INFERENCE_STREAM": stream})
        watcher = f"{function}-drift"
        deploy_function(project, "hub://leeway/concept_drift", watcher, {"INFERENCE_STREAM": stream})
        return {
            "name": self.name,
            "url": url,
            "function": f"{self.project}-{function}",
            "watched_by": f"{self.project}-{watcher}",
            "stream": stream,
            "model": str(served),
        }

    def _copy(self, home: Path, profile: Profile | None, answers: bytes) -> Path:
        """The model under the home, where it stays as it is when the original is trained again."""
        folder = home / "models" / self.name / model_hash(self.model)[:12]
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        served = folder / self.model.name
        if self.model.is_dir():
            shutil.copytree(self.model, served, dirs_exist_ok=True)
        else:
            shutil.copyfile(self.model, served)
        if profile is not None:
            (folder / PROFILE_FILE).write_bytes(profile.to_bytes())
        if answers:
            (folder / ROWS_FILE).write_bytes(answers)
        return served


def mlrun_project(name: str, settings: Settings) -> Any:
    """The MLRun project of that name, made where it is not there, with its files under the home."""
    import leeway

    leeway.start()
    import mlrun

    context = settings.home.absolute() / "projects" / name
    return mlrun.get_or_create_project(name, context=str(context), user_project=False)


def deploy_function(
    project: Any, url: str, name: str, env: Mapping[str, str], workers: int = 0, spec: Mapping[str, Any] | None = None
) -> str:
    """Deploy a function of a hub; its URL. `workers` are those of its HTTP trigger (0: as it has them), `spec` is what
    else goes into its Nuclio spec."""
    function = project.set_function(url, name)
    function.set_envs(dict(env))
    if workers:
        trigger = {"kind": "http", "name": "default-http", "numWorkers": workers, "maxWorkers": workers}
        function.set_config("spec.triggers.default-http", trigger)
    for key, value in (spec or {}).items():
        function.set_config(f"spec.{key}", value)
    deployed = project.deploy_function(function).function
    return f"http://{deployed.status.address}"


def load_model(path: Path) -> Any:
    """The model of a pickle or joblib file, or of a folder that MLRun logged. It is the caller's own: it is trusted.

    LeewayError where it cannot be loaded.
    """
    import joblib
    import yaml

    file = path
    if path.is_dir():
        spec = path / "model_spec.yaml"
        if not spec.is_file():
            raise LeewayError(f"{path} holds no model_spec.yaml: give the model's file, or a folder that MLRun logged")
        document = yaml.safe_load(spec.read_text())
        file = path / (document.get("spec") or document)["model_file"]
    try:
        return joblib.load(file)
    except Exception as exc:
        raise LeewayError(f"{file} cannot be loaded ({type(exc).__name__}: {exc}); expected a pickled model") from exc
