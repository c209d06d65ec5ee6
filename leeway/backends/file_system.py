"""The file system of a URL: pyarrow's own for s3, fsspec's for the others."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from pyarrow import fs

from leeway.errors import StoreError


def file_system(url: str, what: str) -> tuple[fs.FileSystem, str, bool]:
    """The file system, the path in it, and whether a file shows there only when it is whole. StoreError, with `what` it
    was to be, where it cannot be."""
    if url.startswith("s3://"):
        return *_s3(url, what), True
    from fsspec.core import url_to_fs

    try:
        files, base = url_to_fs(url)
    except (ValueError, ImportError) as error:
        raise StoreError(
            f"{what} has no scheme that this Leeway knows ({error}); use file:///path or s3://bucket/folder"
        ) from None
    return fs.PyFileSystem(fs.FSSpecHandler(files)), base.rstrip("/"), False


def _s3(url: str, what: str) -> tuple[fs.FileSystem, str]:
    parts = urlsplit(url)
    options: dict[str, Any] = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    if parts.username and parts.password:
        options |= {"access_key": unquote(parts.username), "secret_key": unquote(parts.password)}
    if "allow_bucket_creation" in options:
        options["allow_bucket_creation"] = options["allow_bucket_creation"] == "true"
    base = f"{parts.hostname or ''}{parts.path}".rstrip("/")
    limits = {"connect_timeout": 5, "request_timeout": 30, "retry_strategy": fs.AwsStandardS3RetryStrategy(3)}
    try:
        return fs.S3FileSystem(**limits, **options), base
    except (TypeError, ValueError, OSError) as error:
        raise StoreError(f"{what} cannot be opened: {error}; use s3://bucket/folder?region=..") from None
