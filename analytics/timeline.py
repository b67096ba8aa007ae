"""Timeline: what falls and rises over time, and what is not served meanwhile.

One evolution of a network, from the failures that there are, through changes at known times, to a
horizon. Semantics: `docs/cascade.md`, "As time goes on".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics import given
from twinfall.analytics.evolution import Evolution, Moved
from twinfall.analytics.network import FOREVER, Network
from twinfall.ontology.errors import Refused

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]

MAX_EVENTS = 2_000_000
"""Falls and rises that one timeline may hold."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is done to a plant at a time: assets by position that fail by themselves, that are in
    order again, that pass their carriers on again or no more. Repairs come first.
    """

    at: float
    fail: tuple[int, ...] = ()
    repair: tuple[int, ...] = ()
    close: tuple[int, ...] = ()
    """Switches that conduct from then on: closed circuits, open valves."""
    open: tuple[int, ...] = ()
    """Switches that conduct no more."""
    stop: tuple[int, ...] = ()
    """Assets that are down without a failure of their own."""


@dataclass(frozen=True, slots=True)
class Events:
    """Falls and rises in order of time: of one moment rises first, then falls in the order in which
    they happen. `group` and `cause` as in `Impact`, -1 of a rise.
    """

    asset: Ints
    time: Floats
    rose: NDArray[np.bool_]
    group: Ints
    cause: Ints

    def __len__(self) -> int:
        return len(self.asset)


@dataclass(frozen=True, slots=True)
class Outages:
    """From when until when assets are down, in order of time, then position; `end` is inf where
    one lasts at the horizon.
    """

    asset: Ints
    begin: Floats
    end: Floats

    def __len__(self) -> int:
        return len(self.asset)


@dataclass(frozen=True)
class Timeline:
    """All that happens from `begin` until `horizon` (seconds); `down` are the assets that are down
    at `begin` before anything is done, which is no event.
    """

    network: Network
    begin: float
    horizon: float
    down: Ints
    events: Events
    evolution: Evolution = field(repr=False, compare=False)
    """The plant as it is at the horizon."""

    def outages(self) -> Outages:
        """Of each asset that falls, those that are down at `begin` apart. What rises and falls
        again in one moment has not been up.
        """
        spans: list[tuple[int, float, float]] = []
        latest: dict[int, int] = {}
        rows = zip(self.events.asset, self.events.time, self.events.rose, strict=True)
        for asset, time, rose in rows:
            one, at = int(asset), latest.get(int(asset))
            if rose and at is not None:
                spans[at] = (one, spans[at][1], float(time))
            elif not rose and at is not None and spans[at][2] == time:
                spans[at] = (one, spans[at][1], FOREVER)
            elif not rose:
                latest[one] = len(spans)
                spans.append((one, float(time), FOREVER))
        kept = sorted((s for s in spans if s[2] > s[1]), key=lambda s: (s[1], s[0]))
        asset, begin, end = zip(*kept, strict=True) if kept else ((), (), ())
        return Outages(np.array(asset, np.int32), np.array(begin, float), np.array(end, float))

    def unserved(self, worth: Floats) -> float:
        """The sum of `worth` [n] times the seconds for which assets are down until the horizon, or
        until the last event where there is none; those down at `begin` apart.
        """
        found = self.outages()
        last = self.last
        seconds = np.minimum(found.end, last) - found.begin
        return float((worth[found.asset] * seconds).sum())

    @property
    def last(self) -> float:
        """The horizon; the time of the last event where there is none."""
        if self.horizon < FOREVER:
            return self.horizon
        return float(self.events.time[-1]) if len(self.events) else self.begin

    def curve(self, worth: Sequence[Floats]) -> tuple[Floats, NDArray[np.float64]]:
        """Times at which something changes, `begin` first, and how much of each `worth` [n] is down
        from then on (a column each), those down at `begin` apart.
        """
        sign = np.where(self.events.rose, -1.0, 1.0)
        own = ~np.isin(self.events.asset, self.down)
        sign = np.where(own, sign, 0.0)
        steps = np.stack([w[self.events.asset] * sign for w in worth], axis=1)
        times, first = np.unique(self.events.time, return_index=True)
        sums = np.add.reduceat(steps, first, axis=0) if len(times) else steps
        levels = np.cumsum(sums, axis=0)
        if not len(times) or times[0] > self.begin:
            times = np.append(self.begin, times)
            levels = np.concatenate([np.zeros((1, len(worth))), levels])
        return times, levels


def timeline(evolution: Evolution, steps: Sequence[Step], horizon: float = FOREVER) -> Timeline:
    """Take a plant as it stands through these steps, in order of time, until the horizon. Raises
    BadInput for what is no time from now on, and Refused (TOO_COSTLY) after MAX_EVENTS.
    """
    begin, horizon = evolution.now, given.seconds(horizon)
    for step in steps:
        given.instant(step.at, begin, "steps")
    log = _Log(evolution)
    down = np.flatnonzero(evolution.down).astype(np.int32)
    for step in sorted(steps, key=lambda step: step.at):
        if step.at <= horizon:
            _pass(evolution, step.at, log, whole=False)
            _take(evolution, step, log)
    _pass(evolution, horizon, log, whole=True)
    return Timeline(evolution.network, begin, horizon, down, log.events(), evolution)


class _Log:
    """Takes down what moves."""

    def __init__(self, evolution: Evolution) -> None:
        self._evolution = evolution
        self._rows: list[tuple[Any, ...]] = []
        self._count = 0

    def tell(self, moved: Moved) -> None:
        """Who rose now, and who fell since this was last told."""
        if not len(moved):
            return
        self._count += len(moved)
        if self._count > MAX_EVENTS:
            raise Refused("too much happens", code="TOO_COSTLY", cure="a shorter horizon")
        falls, rose = self._evolution.falls(moved.fell), len(moved.rose)
        none = np.full(rose, -1, np.int32)
        self._rows.append(
            (
                np.concatenate([moved.rose, moved.fell]),
                np.concatenate([np.full(rose, self._evolution.now), falls.time]),
                np.repeat([True, False], [rose, len(moved.fell)]),
                np.concatenate([none, falls.group]),
                np.concatenate([none, falls.cause]),
            )
        )

    def events(self) -> Events:
        """All of it."""
        kinds = (np.int32, np.float64, np.bool_, np.int32, np.int32)
        columns = (
            zip(*self._rows, strict=True) if self._rows else ((np.zeros(0, k),) for k in kinds)
        )
        return Events(*(np.concatenate(column) for column in columns))


def _pass(evolution: Evolution, until: float, log: _Log, *, whole: bool) -> None:
    """Moment by moment, so that an asset that falls twice is told twice."""
    while (due := evolution.next) < until or (whole and due == until < FOREVER):
        log.tell(evolution.advance(due))


def _take(evolution: Evolution, step: Step, log: _Log) -> None:
    if step.repair:
        log.tell(evolution.repair(step.repair, step.at))
    for on, switches in ((True, step.close), (False, step.open)):
        for switch in switches:
            log.tell(evolution.switch(switch, on, step.at))
    if step.stop:
        log.tell(evolution.stop(step.stop, step.at))
    if step.fail:
        log.tell(evolution.fail(step.fail, step.at))


def repairs_due(failed: dict[int, float], repair_time: Floats) -> list[Step]:
    """A step for each moment at which assets that failed then are in order again, by their declared
    time of repair; without one an asset stays as it is.
    """
    due: dict[float, list[int]] = defaultdict(list)
    for asset, at in failed.items():
        if not np.isnan(repair_time[asset]):
            due[at + float(repair_time[asset])].append(asset)
    return [Step(at, repair=tuple(sorted(assets))) for at, assets in sorted(due.items())]
