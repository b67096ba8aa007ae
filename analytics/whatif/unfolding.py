"""How a scenario unfolds: what falls and rises after it, through repairs and switching, and what is
not served meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.course import DIGITS
from twinfall.analytics.evolution import Evolution
from twinfall.analytics.network import FOREVER
from twinfall.analytics.past import plant_now
from twinfall.analytics.timeline import Step, Timeline, repairs_due, timeline
from twinfall.analytics.whatif.later import Later
from twinfall.analytics.whatif.propping import Propped

if TYPE_CHECKING:
    from twinfall.analytics.assets import AssetNetwork
    from twinfall.analytics.whatif.scenario import Scenario

Floats = NDArray[np.float64]

HOUR = 3600.0
MAX_POINTS = 1_000
"""Of a curve."""


@dataclass(frozen=True, slots=True)
class Event:
    """One asset falls or rises, `at` seconds after the scenario: for want of which group or carrier
    and because of whom; both None where it fails by itself, `cause` where a change takes it down or
    it is a storage that ran already.
    """

    at: float
    id: str
    rose: bool
    group: str | None
    cause: str | None


@dataclass(frozen=True, slots=True)
class Outage:
    """An asset is down from when until when; `until` None: at the end still."""

    id: str
    begin: float
    until: float | None
    customers: float
    value: float


@dataclass(frozen=True, slots=True)
class Point:
    """From here on so much is down that was up before the scenario."""

    at: float
    assets: int
    customers: float
    value: float


@dataclass(frozen=True, slots=True)
class Unserved:
    """Hours without service until the horizon, or until nothing more happens: of assets, and times
    the customers and the value that each stands for. Those that fail by themselves are among them.
    """

    asset_hours: float
    customer_hours: float
    value_hours: float


@dataclass(frozen=True, slots=True)
class EverDown:
    """Assets that are down at one time or another, and the customers and value they stand for."""

    assets: int
    customers: float
    value: float


@dataclass(frozen=True)
class Unfolding:
    """A scenario's timeline by ids; times in seconds after the scenario has happened."""

    assets: AssetNetwork
    told: Timeline

    @property
    def until(self) -> float:
        """The horizon, or when the last thing happens."""
        return self._after(self.told.last)

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """Falls and rises in order of time."""
        found, compiled, ids = self.told.events, self.assets.compiled, self.assets.ids

        def group(number: int) -> str | None:
            if number >= 0:
                return str(compiled.group_names[compiled.group_name[number]])
            return None if number == -1 else compiled.carriers[-2 - number]

        rows = zip(
            found.asset.tolist(), found.time.tolist(), found.rose.tolist(),
            found.group.tolist(), found.cause.tolist(), strict=True,
        )  # fmt: skip
        return tuple(
            Event(
                self._after(time), ids[asset], rose, group(by), ids[cause] if cause >= 0 else None
            )
            for asset, time, rose, by, cause in rows
            if asset < self.assets.visible
        )

    @cached_property
    def outages(self) -> tuple[Outage, ...]:
        """By when they begin, then by id."""
        found, compiled = self.told.outages(), self.assets.compiled
        rows = zip(found.asset.tolist(), found.begin.tolist(), found.end.tolist(), strict=True)
        return tuple(
            Outage(
                self.assets.ids[asset],
                self._after(begin),
                None if end == FOREVER else self._after(end),
                float(compiled.customers[asset]),
                float(compiled.value[asset]),
            )
            for asset, begin, end in rows
            if asset < self.assets.visible
        )

    @cached_property
    def ever_down(self) -> EverDown:
        """Everything that is down at one time or another, each asset once."""
        compiled = self.assets.compiled
        assets = np.unique(self.told.outages().asset)
        assets = assets[assets < self.assets.visible]
        sums = (compiled.customers[assets].sum(), compiled.value[assets].sum())
        return EverDown(len(assets), *(float(one) for one in sums))

    @cached_property
    def unserved(self) -> Unserved:
        """What it costs in hours."""
        shown, compiled = self._shown, self.assets.compiled
        worths = (shown, compiled.customers * shown, compiled.value * shown)
        return Unserved(*(self.told.unserved(worth) / HOUR for worth in worths))

    @cached_property
    def curve(self) -> tuple[Point, ...]:
        """How much is down from when on; of many moments some are left out, never the worst."""
        shown, compiled = self._shown, self.assets.compiled
        worths = [shown, compiled.customers * shown, compiled.value * shown]
        times, levels = self.told.curve(worths)
        rows = _thinned(levels)
        return tuple(
            Point(self._after(times[i]), round(levels[i, 0]), *levels[i, 1:].tolist())
            for i in rows.tolist()
        )

    @property
    def _shown(self) -> Floats:
        """1 for each asset, 0 for a gate."""
        return (np.arange(len(self.assets.ids)) < self.assets.visible).astype(np.float64)

    def _after(self, time: float) -> float:
        return round(float(time) - self.told.begin, DIGITS)


@dataclass(frozen=True, slots=True)
class Doings:
    """What is done, each step at its time, to a plant that stands at `begin` (seconds) as it does
    before a scenario happens. `again` have failed before, and are failed in the first step.
    """

    plant: Evolution
    begin: float
    steps: tuple[Step, ...]
    again: frozenset[int] = frozenset()


def doings(
    assets: AssetNetwork, plant: Propped, failed: Sequence[str], scenario: Scenario
) -> Doings:
    """What has failed in the live state, these failures and what the scenario does later; with its
    `repairs` whatever fails is in order again after its declared time of repair. `plant` is the
    same with what holds it until now. Raises UnknownTwin.
    """
    positions = tuple(assets.positions(failed).tolist())
    again, fail, stop = frozenset[int](), positions, ()
    if plant.prop is None:
        begun = plant_now(assets)
    else:
        begun = Evolution(plant.network)
        fail = (*positions, plant.prop)
        if plant.begun is not None:
            own, stop = (tuple(one.tolist()) for one in plant.begun)
            again, fail = frozenset(own), (*own, *fail)
    steps = [Step(begun.now, stop=stop, fail=fail), *_steps(assets, scenario.then, begun.now)]
    if scenario.repairs:
        fails = {asset: step.at for step in reversed(steps) for asset in step.fail}
        known = again if plant.prop is None else again | {plant.prop}
        fails = {asset: at for asset, at in fails.items() if asset not in known}
        steps += repairs_due(fails, assets.compiled.repair_time)
    return Doings(begun, begun.now, tuple(steps), again)


def unfold(
    assets: AssetNetwork, plant: Propped, failed: Sequence[str], scenario: Scenario
) -> Unfolding:
    """Take a plant in its live state, now, through all that is done to it (`doings`).

    Raises UnknownTwin, and Refused (TOO_COSTLY) where more happens than can be told.
    """
    done = doings(assets, plant, failed, scenario)
    horizon = FOREVER if scenario.horizon is None else done.begin + scenario.horizon
    found = timeline(done.plant, done.steps, horizon)
    return Unfolding(assets, plant.told(found, assets.network))


def standing_at_end(
    assets: AssetNetwork, plant: Propped, failed: Sequence[str], scenario: Scenario
) -> NDArray[np.bool_]:
    """What is down at the horizon, by position. As `unfold`."""
    done = doings(assets, plant, failed, scenario)
    horizon = FOREVER if scenario.horizon is None else done.begin + scenario.horizon
    found = timeline(done.plant, done.steps, horizon)
    down: NDArray[np.bool_] = found.evolution.down[: assets.network.n]
    return down


def _steps(assets: AssetNetwork, later: Sequence[Later], begin: float) -> Iterator[Step]:
    for one in later:
        acts = ("fail", "repair", "open", "close")
        found = {act: tuple(assets.positions(getattr(one, act)).tolist()) for act in acts}
        yield Step(begin + one.after, **found)


def _thinned(levels: NDArray[np.float64]) -> NDArray[np.int64]:
    """At most MAX_POINTS rows, the first, the last and the worst of each column among them."""
    count = len(levels)
    if count <= MAX_POINTS:
        return np.arange(count)
    worst = levels.argmax(axis=0)
    some = np.linspace(0, count - 1, MAX_POINTS - len(worst)).astype(np.int64)
    return np.union1d(some, worst)
