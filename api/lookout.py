"""The learned watch at its post: fed from the pipeline, taught from history, true to the graph.

`Watch` knows arrays and paths; the lookout finds which series and twins those are, follows twins
that come and go, and has detectors trained by model and period.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from twinfall.analytics.detectors import Column, Normal
from twinfall.analytics.membership import Asset, assets
from twinfall.analytics.training import Trace
from twinfall.graph.store import TopologyRequest
from twinfall.ingestion.history import Points, Window
from twinfall.ontology.errors import BadInput, TwinError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twinfall.analytics.watching import Watch
    from twinfall.graph.graph import Graph
    from twinfall.ingestion.frame import Block

MAX_READINGS = 20_000_000
"""That one training reads from history."""
MAX_POINTS = 1_000_000
"""Of one series in one training."""
REFRESH_SECONDS = 10.0
"""Between looks whether twins came or went."""
NUMERIC = ("float", "integer", "long", "boolean")
log = logging.getLogger("twinfall.watch")


class Said(Protocol):
    """What is known of a series."""

    @property
    def kind(self) -> str:
        """`float`, `integer`, `long`, `boolean`, `text`, `json`."""

    @property
    def unit(self) -> str | None:
        """The declared unit."""


class Catalogue(Protocol):
    """What the lookout asks of `ingestion.catalogue.Catalogue`."""

    def key(self, series: int) -> tuple[str, str]:
        """Address and reading name."""

    def series_of(self, twin: str) -> Mapping[str, int]:
        """Name to series, of those seen at this address."""

    def of(self, series: int) -> Said:
        """What the ontology says of it."""


class Pipeline(Protocol):
    """What the lookout asks of `ingestion.pipeline.Pipeline`."""

    def watch(self, listener: Callable[[Block], None]) -> object:
        """Call with every block stored, on a thread of its own."""


class Telemetry(Protocol):
    """What the lookout asks of `ingestion.telemetry.Telemetry`."""

    @property
    def catalogue(self) -> Catalogue:
        """The series."""

    @property
    def pipeline(self) -> Pipeline:
        """Readings as they are stored."""

    def read(self, window: Window) -> Sequence[Points]:
        """Readings that were stored."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a detector is to learn from.

    `start` and `end` in ns bound a period in which all was well; `every` is the sample period in
    ns (None: as the readings come); `through` names the relationships whose targets belong to the
    asset; `twins` are the assets to learn from (empty: all of the model).
    """

    model: str
    start: int
    end: int
    every: int | None = None
    through: tuple[str, ...] = ()
    twins: tuple[str, ...] = ()


class Lookout:
    """One watch over one graph and its telemetry. Safe for threads."""

    def __init__(
        self,
        watch: Watch,
        graph: Graph,
        telemetry: Telemetry,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        self.watch = watch
        self._graph = graph
        self._telemetry = telemetry
        self._now = now
        self.seen = 0
        """Readings taken in since the start."""
        self._cursor = -1
        self._looked = 0.0
        self._refreshing = threading.Lock()

    def start(self) -> None:
        """Follow the twins of every model that has a detector; then watch what is stored."""
        self.watch.bind(self._telemetry.catalogue.key)
        self.refresh()
        self._refill()
        self._telemetry.pipeline.watch(self.observe)

    def observe(self, block: Block) -> None:
        """Take in a block of readings."""
        if time.monotonic() - self._looked >= REFRESH_SECONDS:
            try:
                self.refresh()
            except TwinError as err:
                # The store may be away for a while; who was watched before is watched on.
                log.warning("who is to be watched could not be asked: %s", err)
        self.watch.observe(block.series, block.times, block.numbers)
        self.seen += len(block)

    def refresh(self) -> None:
        """Follow twins that came since, and leave those that went."""
        with self._refreshing:
            self._looked = time.monotonic()
            cursor = self._graph.cursor()
            if cursor == self._cursor:
                return
            for model, detector in self.watch.detectors().items():
                if model in self._graph.ontology.interfaces:
                    self._follow(model, self.assets(model, through(detector.columns)))
            self._cursor = cursor

    def train(self, lesson: Lesson) -> Normal:
        """Learn from history and watch with the new detector.

        Raises UnknownName for the model, UnknownName for `twins` that are none of it, and
        BadInput where history is too short or too long; the old detector then stays.
        """
        model = self.model(lesson.model)
        found = self.assets(model, lesson.through)
        chosen = [asset for asset in found if not lesson.twins or asset.twin in lesson.twins]
        if missing := set(lesson.twins) - {asset.twin for asset in found}:
            raise UnknownName(f"no twin of {model} is called {', '.join(sorted(missing))}")
        if not lesson.start < lesson.end:
            raise BadInput("the period to learn from ends before it begins")
        histories = self._histories(chosen, lesson)
        detector = self.watch.train(model, histories, every=lesson.every)
        self._follow(model, found)
        log.info("a detector of %s learned from %d rows", model, detector.facts["rows"])
        return detector

    def model(self, name: str) -> str:
        """The DTMI of a model given by DTMI or registered name."""
        if name in self._graph.ontology.interfaces:
            return name
        dtmi = self._graph.names.dtmi(name)
        if dtmi is None:
            raise UnknownName(f"no model is called {name}", cure="`twinfall model list` has all")
        return dtmi

    def assets(self, model: str, through: Sequence[str] = ()) -> list[Asset]:
        """The twins of the model and its descendants, with all addresses that belong to them."""
        family = self._graph.ontology.family(model)
        topology = self._graph.topology(TopologyRequest(tuple(through)))
        return assets(topology, family, through)

    def _follow(self, model: str, found: Sequence[Asset]) -> None:
        known = {asset.twin for asset in self.watch.assets(model)}
        self.watch.follow(model, found)
        self.watch.leave(known - {asset.twin for asset in found})

    def _histories(self, chosen: Iterable[Asset], lesson: Lesson) -> dict[str, list[Trace]]:
        left = MAX_READINGS
        histories = {}
        for asset in chosen:
            columns = self._columns(asset)
            window = Window(list(columns), lesson.start, lesson.end, limit=MAX_POINTS)
            points = self._telemetry.read(window) if columns else []
            left -= sum(len(one.times) for one in points)
            if left < 0:
                raise BadInput(
                    f"more than {MAX_READINGS:,} readings to learn from",
                    cure="choose a shorter period or fewer twins",
                    code="TOO_LARGE",
                )
            histories[asset.twin] = [
                Trace(columns[one.series], one.times, one.values)
                for one in points
                if len(one.times)
            ]
        return histories

    def _columns(self, asset: Asset) -> dict[int, Column]:
        """Series to column, of the asset's readings that are numbers."""
        catalogue = self._telemetry.catalogue
        return {
            series: Column(path, name, catalogue.of(series).unit or "")
            for address, path in asset.places().items()
            for name, series in catalogue.series_of(address).items()
            if catalogue.of(series).kind in NUMERIC
        }

    def _refill(self) -> None:
        """Feed the watch the last readings it had before it stopped."""
        back = self.watch.look_back()
        models = self.watch.detectors()
        series = sorted(
            {
                s
                for model in models
                for asset in self.watch.assets(model)
                for s in self._columns(asset)
            }
        )
        if not back or not series:
            return
        now = self._now()
        points = self._telemetry.read(Window(series, now - back, now + back, limit=MAX_POINTS))
        times = np.concatenate([one.times for one in points])
        order = np.argsort(times, kind="stable")
        numbers = np.concatenate([one.values for one in points])
        ids = np.concatenate(
            [np.full(len(one.times), one.series, dtype=np.int32) for one in points]
        )
        self.watch.refill(ids[order], times[order], numbers[order])


def through(columns: Iterable[Column]) -> tuple[str, ...]:
    """The relationships that a detector's columns were found by."""
    steps = (step for column in columns for step in column.path.split("/"))
    return tuple(sorted({step.partition(":")[0] for step in steps if ":" in step}))
