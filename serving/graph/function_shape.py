"""What of a SeldonDeployment goes into the Nuclio function that serves it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from serving.errors import LoadError

_FACTORS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "k": 10**3, "M": 10**6, "G": 10**9, "m": 1e-3, "": 1}


@dataclass(frozen=True)
class FunctionShape:
    """`workers` are those of the HTTP trigger; 0, None and {} stand for what was not said. `resources` is Kubernetes'
    {requests, limits}."""

    workers: int = 0
    min_replicas: int | None = None
    max_replicas: int | None = None
    target_cpu: int | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    env_from: tuple[Mapping[str, Any], ...] = ()
    resources: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, spec: Mapping[str, Any], told: list[str]) -> "FunctionShape":
        """Of a spec that was read; what a list holds that does nothing is added to `told`."""
        predictors = spec["predictors"]
        components = [
            each for predictor in spec["predictors"] for each in predictor.get("componentSpecs") or () if each
        ]
        containers = [one for each in components for one in (each.get("spec") or {}).get("containers") or ()]
        scaled = [each["hpaSpec"] for each in components if each.get("hpaSpec")]
        replicas = [each.get("replicas") for each in (*predictors, *components)]
        secrets = dict.fromkeys(name for predictor in predictors for name in _secrets(predictor["graph"]))
        return cls(
            workers=max((each for each in replicas if each), default=0) or spec.get("replicas") or 0,
            min_replicas=max((each["minReplicas"] for each in scaled if each.get("minReplicas")), default=None),
            max_replicas=max((each["maxReplicas"] for each in scaled if each.get("maxReplicas")), default=None),
            target_cpu=_target_cpu(scaled, told),
            env=_env(containers),
            env_from=(
                *({"secretRef": {"name": name}} for name in secrets),
                *(one for each in containers for one in each.get("envFrom") or ()),
            ),
            resources=_resources(containers),
        )

    def spec(self) -> dict[str, Any]:
        """The part of a Nuclio function's spec that it is, without the environment."""
        found: dict[str, Any] = {
            "minReplicas": self.min_replicas, "maxReplicas": self.max_replicas, "targetCPU": self.target_cpu,
            "resources": self.resources, "envFrom": list(self.env_from),
        }  # fmt: skip
        return {name: value for name, value in found.items() if value}


def _secrets(node: Mapping[str, Any]) -> Iterator[str]:
    if node.get("envSecretRefName"):
        yield node["envSecretRefName"]
    for child in node.get("children") or ():
        yield from _secrets(child)


def _target_cpu(scaled: list[Mapping[str, Any]], told: list[str]) -> int | None:
    found = None
    for each in scaled:
        for metric in each.get("metrics") or ():
            resource = metric.get("resource") or {}
            target = resource.get("targetAverageUtilization") or (resource.get("target") or {}).get(
                "averageUtilization"
            )
            if resource.get("name") == "cpu" and target:
                found = max(found or 0, int(target))
            else:
                told.append(f"hpaSpec.metrics: a function scales by its cpu alone, and not by {metric!r:.80}")
    return found


def _env(containers: list[Mapping[str, Any]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for container in containers:
        for each in container.get("env") or ():
            name, value = str(each.get("name")), str(each.get("value", ""))
            if name == "MODEL_NAME":
                continue  # says which class it is
            if each.get("valueFrom"):
                raise LoadError(
                    f"env {name} is refused: its value comes from elsewhere; use envFrom, or give the value"
                )
            if found.setdefault(name, value) != value:
                raise LoadError(f"env {name} has two values; containers of one function share its environment")
    return found


def _resources(containers: list[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for container in containers:
        for kind, amounts in (container.get("resources") or {}).items():
            for name, amount in (amounts or {}).items():
                one = found.setdefault(kind, {})
                one[name] = amount if name not in one else _added(one[name], amount)
    return found


def _added(one: Any, other: Any) -> str:
    """Two of Kubernetes' quantities; millis where one of them is."""
    total = _quantity(one) + _quantity(other)
    return str(int(total)) if total == int(total) else f"{round(total * 1000)}m"


def _quantity(text: Any) -> float:
    text = str(text)
    unit = next((each for each in _FACTORS if each and text.endswith(each)), "")
    try:
        return float(text.removesuffix(unit)) * _FACTORS[unit]
    except ValueError:
        raise LoadError(
            f"resources: {text!r:.40} is no quantity; expected a number, with {', '.join(_FACTORS)}"
        ) from None
