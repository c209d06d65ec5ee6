"""What a model server is told by its environment, under the names that MLRun's hub gave them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from leeway.errors import SettingError

_MODEL, _HASH, _SELDON = "SERVING_MODEL_", "SERVING_MODEL_HASH_", "SELDON_DEPLOYMENT"
_DEFAULT_BODY_MB = 64


@dataclass(frozen=True)
class ServingSettings:
    """`models` maps a deployment's name to where its model lies, `hashes` to the hash that it must have.

    `seldon` is a SeldonDeployment: a file, a URL, or the YAML itself. `sample` keeps one record of so many, `batch`
    packs so many into one stream message. `handler` is module:function of the code that Nuclio runs, where it says so.
    `tokens` are taken from callers, and without any everybody may ask; `origins` are those of pages that browsers let
    ask. `trusted` are the beginnings of addresses whose models may run code when they are loaded; `has_registry`: the
    deployer names the MLflow registry that is asked.
    """

    models: Mapping[str, str]
    seldon: str = ""
    hashes: Mapping[str, str] = field(default_factory=dict)
    model_class: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    stream: str = ""
    sample: int = 1
    batch: int = 1
    max_body_mb: int = _DEFAULT_BODY_MB
    project: str = "default"
    function: str = "model-server"
    handler: str = ""
    tokens: tuple[str, ...] = field(default=(), repr=False)
    origins: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()
    has_registry: bool = False

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ, needs_models: bool = True) -> "ServingSettings":
        """From the environment; SettingError names the variable, its value and what was expected. A host that brings
        its models along does not need one there."""
        hashes = {name.removeprefix(_HASH): value for name, value in environ.items() if name.startswith(_HASH)}
        models = {
            name.removeprefix(_MODEL): value
            for name, value in environ.items()
            if name.startswith(_MODEL) and not name.startswith(_HASH)
        }
        seldon = environ.get(_SELDON, "")
        if (needs_models and not models and not seldon) or "" in models:
            raise SettingError(
                f"no model is named: set {_MODEL}<name> to a model's file or folder, or {_SELDON} to a "
                f"SeldonDeployment (names given: {sorted(models)})"
            )
        if unknown := sorted(set(hashes) - set(models)):
            raise SettingError(f"{_HASH}{unknown[0]} is set, but there is no {_MODEL}{unknown[0]}; set both or neither")
        project = environ.get("MLRUN_DEFAULT_PROJECT") or cls.project
        return cls(
            models=dict(sorted(models.items())),
            seldon=seldon,
            hashes=hashes,
            model_class=environ.get("MODEL_CLASS", ""),
            parameters=_parameters(environ.get("SERVING_PARAMS", "")),
            stream=environ.get("INFERENCE_STREAM", ""),
            sample=_whole(environ, "INFERENCE_STREAM_SAMPLE", 1),
            batch=_whole(environ, "INFERENCE_STREAM_BATCH", 1),
            max_body_mb=_whole(environ, "SERVING_MAX_BODY_MB", _DEFAULT_BODY_MB),
            project=project,
            function=environ.get("NUCLIO_FUNCTION_NAME", "").removeprefix(f"{project}-") or cls.function,
            handler=environ.get("NUCLIO_HANDLER", ""),
            tokens=_tokens(environ),
            origins=_listed(environ, "SERVING_CORS_ORIGINS"),
            trusted=_listed(environ, "SERVING_TRUSTED_MODELS"),
            has_registry=bool(environ.get("MLFLOW_TRACKING_URI") or environ.get("MLFLOW_REGISTRY_URI")),
        )

    def trusts(self, uri: str) -> bool:
        """Whether whoever deploys vouches for what a model runs that lies at the address which they named."""
        return _scheme(uri) in ("", "file", "store") or self.allows(uri)

    def allows(self, uri: str) -> bool:
        """Whether they vouch for what lies at an address that somebody else named."""
        if _scheme(uri) in ("models", "runs") and self.has_registry:
            return True
        return any(uri.startswith(each) for each in self.trusted) and ".." not in uri.split("/")

    @property
    def function_uri(self) -> str:
        """project/function"""
        return f"{self.project}/{self.function}"


def _scheme(uri: str) -> str:
    return uri.partition(":/")[0] if ":/" in uri else ""


def _whole(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdecimal() or int(text) < 1:
        raise SettingError(f"{name}={text!r}: expected a whole number from 1")
    return int(text)


def _tokens(environ: Mapping[str, str]) -> tuple[str, ...]:
    """A function on the laptop listens on loopback alone; in a pod everybody in the cluster reaches it."""
    tokens, is_open = _listed(environ, "SERVING_TOKENS"), environ.get("SERVING_OPEN", "")
    if is_open not in ("", "0", "1"):
        raise SettingError(f"SERVING_OPEN={is_open!r}: expected 1 (everybody may ask) or 0")
    if not tokens and is_open != "1" and environ.get("KUBERNETES_SERVICE_HOST"):
        raise SettingError(
            "SERVING_TOKENS is not set, and this is a pod that others reach: set it to the tokens that callers send "
            "(`Authorization: Bearer <token>`), or set SERVING_OPEN=1 to let everybody ask"
        )
    if any(not token.isascii() or not token.isprintable() for token in tokens):
        raise SettingError("SERVING_TOKENS holds a token that no header can carry; use printable ASCII")
    return tokens


def _listed(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(part for each in environ.get(name, "").split(",") if (part := each.strip()))


def _parameters(text: str) -> dict[str, Any]:
    try:
        value = orjson.loads(text or "{}")
    except orjson.JSONDecodeError as error:
        raise SettingError(f"SERVING_PARAMS={text!r} is no JSON ({error}); expected an object") from None
    if not isinstance(value, dict):
        raise SettingError(f'SERVING_PARAMS={text!r}: expected a JSON object, for example {{"threshold": 0.5}}')
    return value
