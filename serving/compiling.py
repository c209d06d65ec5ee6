"""Compiles what a data plane serves as it was saved, and has it served so from then on."""

from .dataplane import DataPlane, Served
from .models.compiled import Compiled
from .models.compiler import Compiler
from .models.engine import Engine


def compiling(plane: DataPlane, after_s: float) -> Compiler:
    """Not started yet; it begins `after_s` seconds later."""

    def told(endpoint: str, model: Compiled | None, engine: Engine) -> None:
        for served in plane.served:
            if served.endpoint.id == endpoint and served.loaded.order is not None:
                plane.replace(Served(served.endpoint, served.loaded.on(model, engine)))

    orders = {each.endpoint.id: each.loaded.order for each in plane.served if each.loaded.order is not None}
    return Compiler(orders, told, after_s)
