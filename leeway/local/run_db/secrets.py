"""Secrets of projects, and datastore profiles."""

import os

import mlrun
from mlrun.common.schemas.secret import SecretKeysData
from mlrun.datastore.datastore_profile import DatastoreProfile2Json
from mlrun.errors import MLRunNotFoundError

from .documents import Key
from .part import Part, project_or_active


class Secrets(Part):
    """Kept as they are, in a file that only its owner may read. A run finds them where a service would put them: in
    environment variables."""

    def create_project_secrets(self, project: str, provider="kubernetes", secrets=None):
        for name, value in (secrets or {}).items():
            self._documents.put(Key("secret", project_or_active(project), name), str(value))
        self.expose_secrets(project)

    def secret_variables(self, project: str) -> dict[str, str]:
        """{variable: value} of a project's secrets."""
        prefix = mlrun.mlconf.secret_stores.kubernetes.env_variable_prefix
        return {prefix + key.name: value for key, value in self._documents.find("secret", project_or_active(project))}

    def expose_secrets(self, project: str) -> None:
        """Put them into this process's environment."""
        os.environ.update(self.secret_variables(project))

    def list_project_secret_keys(self, project: str, provider="kubernetes", token=None):
        names = sorted(key.name for key, _ in self._documents.find("secret", project_or_active(project)))
        return SecretKeysData(provider=provider, secret_keys=names)

    def delete_project_secrets(self, project: str, provider="kubernetes", secrets=None):
        project, variables = project_or_active(project), self.secret_variables(project)
        prefix = mlrun.mlconf.secret_stores.kubernetes.env_variable_prefix
        for name in secrets or [variable.removeprefix(prefix) for variable in variables]:
            self._documents.delete("secret", project, name)
            if os.environ.get(prefix + name) == variables.get(prefix + name):
                os.environ.pop(prefix + name, None)

    def store_datastore_profile(self, profile, project: str):
        self._documents.put(Key("datastore profile", project_or_active(project), profile.name), profile.dict())

    def get_datastore_profile(self, name: str, project: str):
        found = self._documents.get(Key("datastore profile", project_or_active(project), name))
        if found is None:
            raise MLRunNotFoundError(f"datastore profile {name} not found in project {project}")
        return DatastoreProfile2Json.create_from_json(public_json=found["object"])

    def list_datastore_profiles(self, project: str):
        found = self._documents.find("datastore profile", project_or_active(project))
        return [DatastoreProfile2Json.create_from_json(one["object"]) for _, one in found]

    def delete_datastore_profile(self, name: str, project: str):
        self._documents.delete("datastore profile", project_or_active(project), name)
