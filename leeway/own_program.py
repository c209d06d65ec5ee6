"""Modules of ours as programs."""

import sys


def own_program(module: str, *arguments: str) -> list[str]:
    """The command that runs `main(arguments)` of a module in a process of its own; where this is a bundle, from it."""
    main_file = getattr(__spec__.loader, "main_file", None)
    return [sys.executable, *([main_file, module] if main_file else ["-m", module]), *arguments]
