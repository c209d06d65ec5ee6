"""Where a SeldonDeployment comes from: a file, a URL, or the YAML itself."""

from pathlib import Path
from urllib.error import URLError
from urllib.parse import unquote, urlsplit
from urllib.request import urlopen

from serving.errors import LoadError

_LARGEST, _PATIENCE_S = 1 << 20, 30


def seldon_source(given: str, name: str) -> tuple[str, str]:
    """(its YAML, the name of a deployment that has none: the file's, else `name`). LoadError where it is not there."""
    if "\n" in given or given.lstrip().startswith("{"):
        return given, name
    parts = urlsplit(given)
    if parts.scheme in ("http", "https"):
        return _fetched(given), Path(parts.path).stem or name
    path = Path(unquote(parts.path) if parts.scheme == "file" else given).expanduser()
    try:
        if path.stat().st_size > _LARGEST:
            raise LoadError(f"SELDON_DEPLOYMENT={given}: over {_LARGEST:,} bytes are no SeldonDeployment")
        return path.read_text(), path.stem
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(
            f"SELDON_DEPLOYMENT={given:.200}: {error}; give a file, a URL (http, https) or the YAML itself"
        ) from None


def _fetched(url: str) -> str:
    try:
        with urlopen(url, timeout=_PATIENCE_S) as answer:
            body = answer.read(_LARGEST + 1)
        if len(body) > _LARGEST:
            raise LoadError(f"SELDON_DEPLOYMENT={url}: over {_LARGEST:,} bytes are no SeldonDeployment")
        return body.decode()
    except (URLError, OSError, UnicodeDecodeError) as error:
        raise LoadError(f"SELDON_DEPLOYMENT={url} cannot be fetched: {error}") from None
