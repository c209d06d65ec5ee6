"""The hash that a model is known by: what is loaded has to be what was logged."""

import hashlib
from pathlib import Path


def model_hash(path: Path) -> str:
    """The sha256, in hex, of a model's file; of a folder, that of its files one after the other, in the order of their
    paths. OSError where it cannot be read."""
    files = [path] if path.is_file() else sorted(each for each in path.rglob("*") if each.is_file())
    if not files:
        raise FileNotFoundError(f"{path} is no file, and no folder that holds one")
    digest = hashlib.sha256()
    for each in files:
        digest.update(each.read_bytes())
    return digest.hexdigest()
