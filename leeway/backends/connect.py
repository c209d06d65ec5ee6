"""From URLs and settings to stores. Each backend is imported when it is first asked for."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from leeway.clock import Clock, SystemClock
from leeway.errors import StoreError
from leeway.interfaces import Archive, SeriesStore, State, Stream
from leeway.settings import Settings

_Opener = TypeVar("_Opener", bound=Callable)
_ANYWHERE = SystemClock()


def stream(url: str, settings: Settings, clock: Clock = _ANYWHERE) -> Stream:
    """The stream of a URL, created where it is absent. A name without a scheme lies under `settings.stream`; where
    that is empty, it is an embedded stream in the home. StoreError where it cannot be.
    """
    if "://" not in url and settings.stream:
        url = f"{settings.stream.rstrip('/')}/{url.lstrip('/')}"
    if "://" not in url:
        _refuse_pods(url, settings)
        return _embedded_stream(str(settings.home / "streams" / _path_of(url)), settings, clock)
    open_stream, where = _opener("stream", url, _STREAMS)
    return open_stream(where, settings, clock)


def series(settings: Settings) -> SeriesStore:
    """The time-series store of `settings.series`; where that is empty, a file in the home."""
    open_series, where = _opener("series", settings.series or f"sqlite://{settings.home}/series.db", _SERIES)
    return open_series(where)


def archive(settings: Settings) -> Archive:
    """The archive of `settings.archive`; where that is empty, a folder in the home."""
    open_archive, where = _opener("archive", settings.archive or f"file://{settings.home}/archive", _ARCHIVES)
    return open_archive(where)


def state(settings: Settings, name: str) -> State:
    """The state called `name`, slashes allowed, in `settings.state`; where that is empty, a file in the home."""
    open_state, where = _opener("state", settings.state or f"sqlite://{settings.home}/state", _STATES)
    return open_state(where, name)


def _embedded_stream(where: str, settings: Settings, clock: Clock) -> Stream:
    from .sqlite_stream import SqliteStream

    return SqliteStream(Path(where), settings.stream_shards, clock, settings.stream_kept_mb, settings.stream_limit_mb)


def _sqlite_series(where: str) -> SeriesStore:
    from .sqlite_series import SqliteSeries

    return SqliteSeries(Path(where))


def _sqlite_state(where: str, name: str) -> State:
    from .sqlite_state import SqliteState

    return SqliteState(Path(where) / f"{_path_of(name)}.db")


def _parquet_archive(where: str) -> Archive:
    from .parquet_archive import ParquetArchive

    return ParquetArchive(Path(where))


_STREAMS = {"embedded": _embedded_stream}
_SERIES = {"sqlite": _sqlite_series}
_ARCHIVES = {"file": _parquet_archive}
_STATES = {"sqlite": _sqlite_state}


def _opener(kind: str, url: str, known: Mapping[str, _Opener]) -> tuple[_Opener, str]:
    """Who opens this URL, and what comes after its scheme."""
    scheme, found, where = url.partition("://")
    if not found or scheme not in known:
        forms = ", ".join(f"{each}:///path" for each in known)
        raise StoreError(f"{kind} {url!r} has no scheme that this Leeway knows; use one of: {forms}")
    if not where:
        raise StoreError(f"{kind} {url!r} names no path; use {scheme}:///path")
    return known[scheme], where


def _refuse_pods(url: str, settings: Settings) -> None:
    if settings.v3io_api:
        raise StoreError(
            f"stream {url!r} has no scheme, which means V3IO where V3IO_API is set ({settings.v3io_api!r}), and this "
            "Leeway has no V3IO yet: give embedded:///path, or unset V3IO_API"
        )
    if settings.kubernetes_service_host:
        raise StoreError(
            f"stream {url!r} has no scheme, and this is a pod, whose disk goes with it: give the URL of a stream "
            "(embedded:///path on a volume that stays)"
        )


def _path_of(name: str) -> str:
    """A name with slashes as a relative path below its folder; slashes at the ends aside, no two names share one."""
    segments = [quote(segment, safe=" +=,@:") for segment in name.strip("/").split("/")]
    return "/".join("%2E" + each[1:] if each.startswith(".") else each or "%" for each in segments)
