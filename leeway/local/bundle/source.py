"""The Python file of a bundle: the loader, the modules as one string, and the names of the function."""

import ast
import base64
import bz2
import json
from collections.abc import Mapping
from pathlib import Path

from . import loader

_FOOTER = """

_bundle = install("{version}", "{data}", __file__)
if __name__ == "__main__":
    sys.exit(run(_bundle, sys.argv[1:]))
globals().update(public(_bundle, "{module}"))
"""


def bundle_source(version: str, module: str, files: Mapping[str, str]) -> str:
    """The text of the file that is deployed for the function in `module`, a dotted name such as
    "functions.train.train". `files` is {path from the repository's root: text}. Equal input, equal bytes."""
    packed = bz2.compress(json.dumps(dict(files), sort_keys=True, separators=(",", ":")).encode())
    data = base64.b85encode(packed).decode()
    return Path(loader.__file__).read_text() + _FOOTER.format(version=version, data=data, module=module)


def bundled_files(source: str) -> dict[str, str]:
    """{path: text} inside a bundle's file; of a file that is none, itself as "handler.py"."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "_bundle":
            data = ast.literal_eval(node.value.args[1])
            return json.loads(bz2.decompress(base64.b85decode(data)))
    return {"handler.py": source}
