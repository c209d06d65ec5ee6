"""From a deployment to one that runs: every node loaded, every tree in its place."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random

from serving.errors import LoadError
from serving.models.find_class import find_class
from serving.models.load import LoadedModel, hash_of_class, load
from serving.types import Endpoint

from .arm import Arm
from .bandit import BANDITS, Bandit
from .deployment import COMPONENT, HOSTED, ROUTE, Deployment, Node, Predictor
from .executor import Executor
from .place import Served, built_in, place
from .running import Running
from .shadow import Shadow
from .unit import Unit

_VERSION_DIGITS = 12


class Start:
    """Loads what deployments name: models into `served`, by deployment/predictor/node. LoadError where one cannot be.

    `function_uri` is project/function; `handler` and `home` are what models.load takes; `hosted` are models that the
    host brought along, by the names of their nodes.
    """

    def __init__(
        self,
        served: dict[str, Served],
        executor: Executor,
        function_uri: str,
        handler: str,
        home: Path,
        hosted: Mapping[str, LoadedModel] | None = None,
    ):
        self._served, self._executor, self._function_uri = served, executor, function_uri
        self._handler, self._home, self._hosted = handler, home, hosted or {}

    def running(self, deployment: Deployment) -> Running:
        random = Random(deployment.seed)
        bandits: list[Bandit] = []
        arms = [self.arm(deployment, each, random, bandits) for each in deployment.live]
        shadows = [self._shadow(deployment, each) for each in deployment.predictors if each.is_shadow]
        return Running(deployment, arms, shadows, bandits, self._executor, random)

    def _shadow(self, deployment: Deployment, predictor: Predictor) -> Shadow:
        random = Random(deployment.seed)  # its own, so that it changes no live draw
        return Shadow(self.arm(deployment, predictor, random, []), predictor.weight / 100, self._executor, random)

    def arm(self, deployment: Deployment, predictor: Predictor, random: Random, bandits: list[Bandit]) -> Arm:
        """A predictor with all that it needs; its bandits are added to `bandits`."""
        path = f"{deployment.name}/{predictor.name}"
        units: dict[str, Unit] = {}
        choices = (predictor.name,) if len(deployment.live) > 1 else ()
        learning = dict(_bandits(predictor.graph, choices, random))
        bandits += learning.values()
        for node in predictor.graph.walk():
            key = f"{path}/{node.name}"
            if key in units or key in self._served:
                raise LoadError(f"{path} has two nodes called {node.name!r}; give each a name of its own")
            if node.name in learning:
                unit: Unit | None = learning[node.name].unit
            else:
                unit = self._component(node) if node.implementation == COMPONENT else built_in(node, random)
            if unit is not None:
                units[key] = unit
            else:
                self._served[key] = self._model(deployment.name, path, node)
        root = place(predictor.graph, lambda node: f"{path}/{node.name}", self._served, units)
        return Arm(predictor.name, root, f"{self._function_uri}/{path}")

    def _model(self, deployment: str, path: str, node: Node) -> Served:
        loaded = self._hosted[node.name] if node.implementation == HOSTED else load(node, self._handler, self._home)
        id = f"{self._function_uri}/{path}/{node.name}/{loaded.version}"
        endpoint = Endpoint(id, deployment, node.name, loaded.version, loaded.model.class_name, loaded.features)
        return Served(endpoint, loaded)

    def _component(self, node: Node) -> Unit:
        from serving.models.seldon_component import SeldonComponent

        try:
            kind = find_class(node.class_name, self._handler)
            return SeldonComponent(kind, node).unit(node.version or hash_of_class(kind)[:_VERSION_DIGITS])
        except LoadError:
            raise
        except Exception as error:
            raise LoadError(f"node {node.name!r} cannot be loaded: {type(error).__name__}: {error}") from error


def _bandits(node: Node, choices: tuple[str, ...] | None, random: Random) -> Iterator[tuple[str, Bandit]]:
    """(name, bandit) of each, from a node down; `choices` lead to it, None where it is asked beside others."""
    if node.implementation in BANDITS:
        if choices is None:
            raise LoadError(
                f"node {node.name!r}: {node.implementation} below a node that asks all its children cannot learn, "
                "as no reward is for it alone; put it above them"
            )
        yield node.name, Bandit(node, choices, random)
    routes = ROUTE in node.does
    for child in node.children:
        alone = choices if len(node.children) == 1 else None
        yield from _bandits(child, (*choices, child.name) if routes and choices is not None else alone, random)
