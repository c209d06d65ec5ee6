"""Loads and unloads models while a function serves, in all of its workers."""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from leeway.errors import LeewayError
from leeway.interfaces import State
from leeway.model_hash import model_hash
from leeway.workers import HOST, Worker, leave, living, tell

from .dataplane import DataPlane, Served, served
from .errors import BadRequest, LoadError, NotFound, NotOffered
from .graph.deployment import Deployment, Node, Predictor
from .graph.environment import PREDICTOR
from .models.load import LoadedModel, load
from .models.self_test import self_test
from .repository_row import Entry, Row, change_row, row_of

_LOOK_S, _TELL_S, _PATIENCE_S, _PAUSE_S = 1.0, 5.0, 10.0, 0.05
_KNOWN = ("model_uri", "version")
GROUP, _MODELS = "repository", "models"  # the workers that follow the row, and what they call it

_log = logging.getLogger("leeway.serving")


class Repository:
    """The models of one worker. A call changes them here and writes down what it changed; the other workers look at
    that each second, do the same, and say so. What cannot be loaded, or fails its self-test, replaces nothing.

    `allows` says which addresses a caller may name; `changed` hears of each model that begins to serve; `open_state`
    opens the shared state.
    """

    def __init__(
        self,
        plane: DataPlane,
        function_uri: str,
        handler: str,
        home: Path,
        open_state: Callable[[], State],
        allows: Callable[[str], bool],
        changed: Callable[[Served], None],
    ):
        self._plane, self._function_uri, self._handler, self._home = plane, function_uri, handler, home
        self._open_state, self._allows, self._changed = open_state, allows, changed
        self._nodes = {name: each.loaded.node for name, each in plane.single.items() if each.loaded.node}
        self._name, self._row, self._failed = f"{HOST}-{os.getpid()}-{uuid4().hex[:8]}", Row(), dict[str, str]()
        self._state: State | None = None
        self._lock, self._stop = threading.RLock(), threading.Event()
        self._told_at, self._is_away = float("-inf"), False

    def start(self) -> None:
        """Take over what was loaded before, and from then on in a thread."""
        if self._nodes:
            self.look()
            threading.Thread(target=self._run, name="leeway-repository", daemon=True).start()

    def close(self) -> None:
        self._stop.set()
        with self._lock, suppress(Exception):
            if self._state is not None:
                leave(self._state, GROUP, self._function_uri, self._name)
                self._state.close()
                self._state = None

    def load(self, name: str, parameters: Mapping[str, Any]) -> str:
        """Load a model anew, from where it lies or from `model_uri`; its version. BadRequest where it cannot be, or
        fails its self-test; LoadError with the names of the workers that did not confirm in time."""
        node, uri = self._node(name), parameters.get("model_uri", "")
        if set(parameters) - set(_KNOWN) or not all(isinstance(value, str) for value in parameters.values()):
            raise BadRequest(f"parameters has {sorted(parameters)}; expected {' and '.join(_KNOWN)}, as text")
        if uri and not self._allows(uri):
            raise BadRequest(
                "model_uri is an address that nobody vouches for: put its beginning into SERVING_TRUSTED_MODELS"
            )
        with self._lock:
            entry = Entry(declared=node.uri, change=0, uri=uri, version=parameters.get("version", ""))
            try:
                loaded = self._loaded(name, entry)
            except LoadError as error:
                raise BadRequest(f"{name} stays as it is: {error}") from error
            row = self._write(name, _with_hash(entry, loaded))
            self._serve(name, loaded)
        self._confirmed(name, row)
        return loaded.version

    def unload(self, name: str) -> None:
        """Serve it no longer, until it is loaded again; LoadError as in `load`."""
        node = self._node(name)
        with self._lock:
            row = self._write(name, Entry(declared=node.uri, change=0, is_loaded=False))
            self._plane.remove(name)
        self._confirmed(name, row)

    def look(self) -> None:
        """Take over what others changed. While the state is away, all stays as it is."""
        with self._lock:
            if self._stop.is_set():  # else the thread would say that it lives after it has left
                return
            try:
                state = self._opened()
                self._follow(row_of(state, self._function_uri))
                if time.monotonic() - self._told_at >= _TELL_S:
                    self._tell(state)
                self._is_away = False
            except Exception as error:
                if not self._is_away:
                    _log.warning("the state store is away, so the models stay as they are: %s", error)
                self._is_away = True

    def _opened(self) -> State:
        if self._state is None:
            self._state = self._open_state()
        return self._state

    def _node(self, name: str) -> Node:
        node = self._nodes.get(name)
        if node is None:
            raise NotFound(f"no model {name!r:.80} can be loaded here; there are: {', '.join(self._nodes)}")
        if not node.uri:
            raise NotOffered(f"{name} has no file that could be loaded anew; deploy the function again")
        return node

    def _loaded(self, name: str, entry: Entry) -> LoadedModel:
        node = self._nodes[name]
        if entry.uri:
            node = replace(node, uri=entry.uri, sha256=entry.sha256, is_trusted=self._allows(entry.uri))
        elif entry.sha256:
            node = replace(node, sha256=entry.sha256)
        loaded = load(replace(node, version=entry.version or node.version), self._handler, self._home)
        self_test(loaded)
        return loaded

    def _serve(self, name: str, loaded: LoadedModel) -> None:
        node = self._nodes[name]
        one = served(Deployment(name, (Predictor(PREDICTOR, node),)), loaded, self._function_uri)
        self._plane.replace(one)
        self._changed(one)
        _log.info("model %s: version %s serves", name, loaded.version)

    def _write(self, name: str, entry: Entry) -> Row:
        try:
            state = self._opened()
            row = change_row(state, self._function_uri, name, entry)
            self._follow(row, but=name)
            self._tell(state)
            return row
        except LeewayError as error:
            raise LoadError(
                f"{name} stays as it is: the state store is away, so no worker would know ({error})"
            ) from error

    def _follow(self, row: Row, but: str = "") -> None:
        """Do what is new in the row."""
        before = self._row.version
        if row.version <= before:
            return
        for name, entry in row.models.items():
            node = self._nodes.get(name)
            if name == but or node is None or entry.declared != node.uri or entry.change <= before:
                continue
            self._failed.pop(name, None)
            if not entry.is_loaded:
                self._plane.remove(name)
                continue
            try:
                self._serve(name, self._loaded(name, entry))
            except Exception as error:
                _log.exception("model %s stays as it is", name)
                self._failed[name] = f"{type(error).__name__}: {error}"
        self._failed.pop(but, None)
        self._row, self._told_at = row, float("-inf")

    def _tell(self, state: State) -> None:
        follows, failed = {_MODELS: self._row.version}, dict(self._failed)
        me = Worker(self._name, HOST, os.getpid(), time.time(), follows, failed)
        tell(state, GROUP, self._function_uri, me)
        self._told_at = time.monotonic()

    def _confirmed(self, name: str, row: Row) -> None:
        """Wait until every living worker follows the row."""
        end = time.monotonic() + _PATIENCE_S
        while True:
            with self._lock:
                workers = living(self._opened(), GROUP, self._function_uri)
            failed = [f"{each.name} ({each.failed[name]})" for each in workers if name in each.failed]
            late = [each.name for each in workers if each.versions[_MODELS] < row.version]
            if not late and not failed:
                return
            if not late or time.monotonic() > end:
                told = f"failed in {', '.join(failed)}" if failed else f"no word yet from {', '.join(late)}"
                raise LoadError(f"{name} was changed here, but not in every worker: {told}; look at their logs")
            self._stop.wait(_PAUSE_S)

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_S):
            self.look()


def _with_hash(entry: Entry, loaded: LoadedModel) -> Entry:
    """With the hash of what was loaded, which the other workers have to find too."""
    return msgspec.structs.replace(entry, sha256=model_hash(loaded.path)) if loaded.path is not None else entry
