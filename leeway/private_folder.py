"""Folders that only their owner may look into."""

from pathlib import Path


def private_folder(path: Path) -> Path:
    """Create `path` and its missing parents with mode 0700; what is there keeps its mode. OSError where it cannot."""
    if not path.is_dir():
        private_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
    return path
