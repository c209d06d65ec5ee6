"""Compiles what a data plane serves as it was saved, and has it served so from then on."""

from .dataplane import DataPlane, Served
from .models.compile_order import CompileOrder
from .models.compiled import Compiled
from .models.compiler import Compiler
from .models.engine import Engine


class Compiling:
    """`after_s` seconds after it is told of what is served, it has that compiled which can be."""

    def __init__(self, plane: DataPlane, after_s: float):
        self._plane, self._compiler = plane, Compiler(self._told, after_s)

    def begin(self, *models: Served) -> None:
        self._compiler.start([each.loaded.order for each in models if each.loaded.order is not None])

    def close(self) -> None:
        self._compiler.close()

    def _told(self, order: CompileOrder, model: Compiled | None, engine: Engine) -> None:
        for served in self._plane.served:
            if served.loaded.order == order:
                self._plane.replace(Served(served.endpoint, served.loaded.on(model, engine)))
