"""From URLs and settings to stores. Each backend is imported when it is first asked for."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import quote

from leeway.clock import Clock, SystemClock
from leeway.errors import StoreError
from leeway.interfaces import Archive, SeriesStore, State, Stream
from leeway.settings import Settings

from .redacted import redacted

_Open = TypeVar("_Open", bound=Callable)
_ANYWHERE = SystemClock()


def stream(url: str, settings: Settings, clock: Clock = _ANYWHERE) -> Stream:
    """The stream of a URL, created where it is absent. A name without a scheme lies under `settings.stream`; where
    that is empty, it is on V3IO if V3IO_API is set, else an embedded stream in the home. StoreError where it cannot be.
    """
    url = address(url, settings)
    if "://" not in url:
        _refuse_pods(url, settings)
        return _embedded_stream(str(settings.home / "streams" / _path_of(url)), settings, clock)
    opener, where = _opener("stream", url, _STREAMS)
    return opener(where, settings, clock)


def address(name: str, settings: Settings) -> str:
    """The URL that a stream's name means; the name itself where it is an embedded stream of the home."""
    if "://" not in name and settings.stream:
        name = f"{settings.stream.rstrip('/')}/{name.lstrip('/')}"
    if "://" not in name and settings.v3io_api:
        return f"v3io:///{name.lstrip('/')}"
    return name


def series(settings: Settings) -> SeriesStore:
    """The time-series store of `settings.series`; where that is empty, a file in the home."""
    opener, where = _opener("series", settings.series or f"sqlite://{settings.home}/series.db", _SERIES)
    return opener(where, settings)


def archive(settings: Settings) -> Archive:
    """The archive of `settings.archive`; where that is empty, a folder in the home."""
    url = settings.archive or f"file://{settings.home}/archive"
    if "://" in url and url.partition("://")[0] not in _ARCHIVES:
        return _remote_archive(url)
    opener, where = _opener("archive", url, _ARCHIVES)
    return opener(where)


def state(settings: Settings, name: str) -> State:
    """The state called `name`, slashes allowed, in `settings.state`; where that is empty, a file in the home."""
    opener, where = _opener("state", settings.state or f"sqlite://{settings.home}/state", _STATES)
    return opener(where, name)


def _embedded_stream(where: str, settings: Settings, clock: Clock) -> Stream:
    from .sqlite_stream import SqliteStream

    return SqliteStream(Path(where), settings.stream_shards, clock, settings.stream_kept_mb, settings.stream_limit_mb)


def _kafka_stream(where: str, settings: Settings, clock: Clock) -> Stream:
    _need("confluent_kafka", "kafka")
    from .kafka_stream import KafkaStream

    brokers, _, topic = where.partition("/")
    return KafkaStream(brokers, topic, settings.stream_shards, settings.kafka_options, settings.stream_timeout_s)


def _v3io_stream(where: str, settings: Settings, clock: Clock) -> Stream:
    from .v3io_stream import V3ioStream

    host, _, path = where.partition("/")
    api = f"https://{host}" if host else settings.v3io_api
    return V3ioStream(api, settings.v3io_access_key, path, settings.stream_shards, settings.stream_timeout_s)


def _sqlite_series(where: str, settings: Settings) -> SeriesStore:
    from .sqlite_series import SqliteSeries

    return SqliteSeries(Path(where))


def _postgres_series(where: str, settings: Settings) -> SeriesStore:
    _need("psycopg", "postgres")
    from .postgres_database import PostgresDatabase
    from .postgres_series import PostgresSeries

    return PostgresSeries(PostgresDatabase(f"postgresql://{where}"))


def _v3io_series(where: str, settings: Settings) -> SeriesStore:
    _need("v3io_frames", "v3io")
    from .v3io_series import V3ioSeries

    return V3ioSeries(settings.v3io_framesd, settings.v3io_access_key, where)


def _sqlite_state(where: str, name: str) -> State:
    from .sqlite_state import SqliteState

    return SqliteState(Path(where) / f"{_path_of(name)}.db")


def _postgres_state(where: str, name: str) -> State:
    _need("psycopg", "postgres")
    from .postgres_database import PostgresDatabase
    from .postgres_state import PostgresState

    return PostgresState(PostgresDatabase(f"postgresql://{where}"), name)


def _parquet_archive(where: str) -> Archive:
    from .parquet_archive import ParquetArchive

    return ParquetArchive(Path(where))


def _remote_archive(url: str) -> Archive:
    from .remote_archive import RemoteArchive

    return RemoteArchive(url)


class _Opener(NamedTuple, Generic[_Open]):
    """Who opens URLs of a scheme, and what they look like."""

    open: _Open
    form: str


_STREAMS = {
    "embedded": _Opener(_embedded_stream, "embedded:///path"),
    "kafka": _Opener(_kafka_stream, "kafka://host:9092/topic"),
    "v3io": _Opener(_v3io_stream, "v3io:///container/path"),
}
_SERIES = {
    "sqlite": _Opener(_sqlite_series, "sqlite:///path"),
    "postgresql": _Opener(_postgres_series, "postgresql://user@host/database"),
    "v3io": _Opener(_v3io_series, "v3io:///container/path"),
}
_ARCHIVES = {"file": _Opener(_parquet_archive, "file:///path")}
_STATES = {
    "sqlite": _Opener(_sqlite_state, "sqlite:///path"),
    "postgresql": _Opener(_postgres_state, "postgresql://user@host/database"),
}


def _opener(kind: str, url: str, known: Mapping[str, _Opener[_Open]]) -> tuple[_Open, str]:
    """Who opens this URL, and what comes after its scheme."""
    scheme, found, where = url.partition("://")
    if not found or scheme not in known:
        forms = ", ".join(each.form for each in known.values())
        raise StoreError(f"{kind} {redacted(url)!r} has no scheme that this Leeway knows; use one of: {forms}")
    if not where:
        raise StoreError(f"{kind} {url!r} names no place; use {known[scheme].form}")
    return known[scheme].open, where


def _need(module: str, extra: str) -> None:
    from importlib.util import find_spec

    if find_spec(module) is None:
        raise StoreError(f"{module} is not installed, which this store needs: install Leeway with its extra {extra!r}")


def _refuse_pods(url: str, settings: Settings) -> None:
    if settings.kubernetes_service_host:
        raise StoreError(
            f"stream {url!r} has no scheme, and this is a pod, whose disk goes with it: give the URL of a stream "
            "(kafka://host:9092/topic, or embedded:///path on a volume that stays)"
        )


def _path_of(name: str) -> str:
    """A name with slashes as a relative path below its folder; slashes at the ends aside, no two names share one."""
    segments = [quote(segment, safe=" +=,@:") for segment in name.strip("/").split("/")]
    return "/".join("%2E" + each[1:] if each.startswith(".") else each or "%" for each in segments)
