"""The place of a function's processor: one for all triggers that Nuclio runs."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from leeway.backends import connect
from leeway.settings import Settings

from ..environment import environment
from ..function_spec import Trigger
from ..generation import Generation
from ..home import Home
from ..slot import Slot
from .nuclio_processor import NuclioProcessor
from .process import KIND, ProcessorProcess, free_port

_PLACE = Trigger(KIND, KIND, KIND)


class ProcessorSlot(Slot):
    """As a processor must bind its ports itself, two cannot serve at a time. With `rehearse` the function is first
    loaded beside the running version, on free ports and without its other triggers; `go` follows when that one ended.
    """

    def __init__(
        self,
        nuclio: NuclioProcessor,
        home: Home,
        environ: Mapping[str, str],
        generation: Generation,
        triggers: tuple[Trigger, ...],
        changed: Callable[[], None],
    ):
        super().__init__(home, environ, generation, _PLACE, 0, changed)
        self._nuclio, self._triggers = nuclio, triggers
        self._ports: Mapping[str, int] = {}
        self._rehearse = False

    def equip(self, ports: Mapping[str, int], ready_s: float, rehearse: bool) -> None:  # type: ignore[override]
        self._ports, self._ready_s, self._rehearse = ports, ready_s, rehearse

    async def launch(self) -> None:
        if self._rehearse:
            triggers = tuple(trigger for trigger in self._triggers if trigger.kind == "http")
            triggers = triggers or (Trigger("rehearsal", "http", "http"),)
            self._start(triggers, {trigger.name: free_port() for trigger in triggers})
        else:
            self._make_topics()
            self._start(self._triggers, self._ports)

    async def go(self) -> None:
        if self._rehearse:
            self._rehearse = False
            await self._kill()
            await self.launch()
            await self.ready()
        self.serving = True

    def _start(self, triggers: tuple[Trigger, ...], ports: Mapping[str, int]) -> None:
        self.process = ProcessorProcess.start(
            self._nuclio, self._home, self._generation, triggers, ports, self._environ, self.log
        )

    def _make_topics(self) -> None:
        """Nuclio waits in silence for a topic that is not there, and takes one that keeps the wrong times."""
        settings = Settings.read(environment(self._generation.spec, self._home, self._environ))
        for trigger in self._triggers:
            if trigger.kind == "stream":
                connect.stream(str(trigger.attributes["url"]), replace(settings, home=self._home.path)).close()
