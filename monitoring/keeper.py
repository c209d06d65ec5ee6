"""What is done each minute beside the consumers of a worker: above all, the stores are kept small."""

from collections.abc import Callable, Iterable
from threading import Event, Thread

from leeway.errors import StoreError
from leeway.interfaces import Archive, SeriesStore
from leeway.settings import Settings

from .compaction import compact, drop_days
from .erase import EraseList, erase
from .model_endpoints import register_model_endpoints

PERIOD_S = 60.0
_HOUR = 60  # rounds


class Keeper:
    """A thread that merges the archive's files, drops its days beyond `archive.days`, sums up old points, and
    takes out again what was `erased`; and registers endpoints in the MLRun service, where there is one.
    `prefixes` gives those of the consumers here. What a store refuses is reported, and tried again a minute later."""

    def __init__(
        self,
        settings: Settings,
        archive: Archive,
        series: SeriesStore,
        prefixes: Callable[[], Iterable[str]],
        report: Callable[[str], None],
        erased: EraseList | None = None,
    ):
        self._settings, self._archive, self._series = settings, archive, series
        self._prefixes, self._report, self._erased = prefixes, report, erased
        self._round = 0
        self._closing = Event()
        self._thread = Thread(target=self._run, name="leeway-keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop after what is being done."""
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join()

    def keep(self) -> None:
        """Do all of it once."""
        for act in (self._compact, self._drop, self._sum_up, self._erase, self._register):
            try:
                act()
            except StoreError as error:
                self._report(f"each minute's work: {error}")

    def _compact(self) -> None:
        compact(self._archive, self._prefixes(), erased=self._erased.ids if self._erased else _nothing)

    def _drop(self) -> None:
        if self._settings.archive_days:
            drop_days(self._archive, self._settings.archive_days)

    def _sum_up(self) -> None:
        self._series.retain(self._settings.series_points_s, self._settings.series_sums_s)

    def _erase(self) -> None:
        """Once an hour, what came again under ids that were erased."""
        if self._erased is not None and self._round % _HOUR == 0:
            for key in self._erased.deployments():
                erase(self._archive, key, self._erased.ids(key))
        self._round += 1

    def _register(self) -> None:
        register_model_endpoints(self._settings)

    def _run(self) -> None:
        while not self._closing.wait(PERIOD_S):
            self.keep()


def _nothing(key: str) -> tuple[str, ...]:
    """Nothing was erased."""
    return ()
