"""Models at any URL that pyarrow (s3) or fsspec (gs, http, ...) reads, in a process of its own."""

import json
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit


def main(argv: list[str]) -> int:
    """`argv` is [URL of a file or a folder, folder to copy it into]; the last line on stdout is {"file": ...}.
    Credentials are where the file system's own client looks for them."""
    url, folder = argv
    parts = urlsplit(url)
    kept = Path(folder) / (Path(parts.path).name or "model")
    if parts.scheme in ("http", "https"):
        import fsspec

        files, path = fsspec.core.url_to_fs(url)
        files.get_file(path, str(kept))
    else:
        _copy(url, kept)
    print(json.dumps({"file": str(kept)}))
    return 0


def _copy(url: str, kept: Path) -> None:
    from pyarrow import fs

    from leeway.backends.file_system import file_system

    files, path, _ = file_system(url, "the model's address")
    path = path.rstrip("/")
    info = files.get_file_info(path)
    if info.type == fs.FileType.NotFound:
        raise FileNotFoundError(f"there is no such file or folder: {path}")
    found = [info] if info.is_file else files.get_file_info(fs.FileSelector(path, recursive=True))
    for each in found:
        if each.is_file:
            target = kept / each.path.removeprefix(path).strip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            with files.open_input_stream(each.path) as source, target.open("wb") as opened:
                shutil.copyfileobj(source, opened)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
