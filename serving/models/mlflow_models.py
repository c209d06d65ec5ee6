"""MLflow: its registry and runs, and models that only it can load. The one module that imports mlflow: seconds, and
120 MB."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

from serving.errors import BadRequest
from serving.types import InferenceRequest, Prediction

from .base import Model
from .user_class import plain_outputs

_NAMED = re.compile(r"models:/([^/@]+)/([^/@]+)")
_STAGES = ("none", "staging", "production", "archived", "latest")


class MlflowModel(Model):
    """One of the flavour python_function, whatever is in it. Rows become a table where its columns have names."""

    class_name = "PyFuncModel"

    def __init__(self, folder: Path):
        import mlflow.pyfunc

        self._model = mlflow.pyfunc.load_model(os.fspath(folder))
        schema = self._model.metadata.get_input_schema()
        names = schema.input_names() if schema is not None and schema.has_input_names() else []
        self.features = [str(name) for name in names] or None
        self._types = {spec.name: spec.type.to_pandas() for spec in schema.inputs} if names else {}

    def predict(self, request: InferenceRequest) -> Prediction:
        return Prediction(plain_outputs(self._model.predict(self._table(request.rows)), self.class_name))

    def _table(self, rows: list) -> Any:
        if self.features is None:
            try:
                return np.array(rows)
            except ValueError:
                raise BadRequest("the rows are of several lengths") from None
        import pandas as pd

        for i, row in enumerate(rows):
            if not isinstance(row, list) or len(row) != len(self.features):
                raise BadRequest(f"row {i} is {repr(row)[:60]}; expected {', '.join(self.features)[:300]}")
        try:
            return pd.DataFrame(rows, columns=self.features).astype(self._types)
        except (ValueError, TypeError) as error:
            raise BadRequest(f"a column has another type than the model takes: {error!s:.160}") from None


def main(argv: list[str]) -> int:
    """`argv` is [models:/ or runs:/ URI, folder]; the last line on stdout is {"file": ...}. Which registry is asked,
    and with what credentials, is in MLflow's own variables."""
    import mlflow.artifacts
    import mlflow.environment_variables as variables

    uri, folder = _with_alias(argv[0]), argv[1]
    variables.MLFLOW_ALLOW_FILE_STORE.set(True)  # it is only read
    print(json.dumps({"file": mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=folder)}))
    return 0


def _with_alias(uri: str) -> str:
    """models:/name/word, where the word is neither a version nor one of MLflow's stages, means the alias of that name.

    >>> _with_alias("models:/elec/experimental"), _with_alias("models:/elec/Staging"), _with_alias("models:/elec/3")
    ('models:/elec@experimental', 'models:/elec/Staging', 'models:/elec/3')
    """
    found = _NAMED.fullmatch(uri)
    if found is None or found[2].isdecimal() or found[2].lower() in _STAGES:
        return uri
    return f"models:/{found[1]}@{found[2]}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
