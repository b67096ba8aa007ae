"""One moment of the plant as requirements look at it; what several of them ask is found once."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics.assets import AssetNetwork
from twinfall.analytics.explaining import AssetImpact
from twinfall.analytics.lasting import lasting
from twinfall.analytics.network import FOREVER, Network
from twinfall.analytics.requirements.report import Path
from twinfall.analytics.requirements.requirement import Named, Selection
from twinfall.analytics.requirements.twins import Twins
from twinfall.ontology.errors import BadInput, Refused

Rows = NDArray[np.int32]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
MAX_TIMED = 50_000
"""Single failures that are followed through time for one report."""
MAX_IMPACTS = 64
"""Kept for further witnesses of the same failure."""
MAX_NAMED = 5
"""Ids that a message names."""


class TooLong(Refused):
    """There is no time left for this check."""

    code = "TOO_COSTLY"


class Moment:
    """The arrays under the live state, and what follows from them. Positions as in the arrays.
    `seconds` are given to the whole check.
    """

    def __init__(
        self, assets: AssetNetwork, twins: Twins | None = None, seconds: float = math.inf
    ) -> None:
        self.assets = assets
        self._until = time.monotonic() + seconds
        self.ids = assets.ids
        self.visible = assets.visible
        self._twins = twins
        topology = assets.topology
        self.owner: Rows = np.full(len(assets.ids) + 1, -1, np.int32)
        """Of every position the twin that it is a component of, or -1; -1 of -1."""
        self.owner[: len(topology.owner)] = topology.owner
        self.tried = 0
        """Sets of failures that requirements have tried so far."""
        self.searched = 0.0
        """Seconds that this took."""
        self._timed = 0
        self._impacts: dict[tuple[int, float], AssetImpact] = {}

    def left(self) -> float:
        """Seconds that are left. Raises TooLong."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TooLong("it takes too long")
        return left

    # -- who ------------------------------------------------------------------------------

    def select(self, selection: Selection) -> Rows:
        """The positions that are selected, ascending. Raises BadInput where a property is asked
        about and there is no graph to ask.
        """
        chosen = np.zeros(len(self.ids), bool)
        chosen[: self.visible] = True
        if selection.models is not None:
            chosen &= self._of_models(selection.models)
        if selection.ids is not None:
            chosen &= self.assets.flags(selection.ids)
        if selection.services is not None:
            chosen &= self._giving(selection.services)
        if selection.where is not None:
            if self._twins is None:
                raise BadInput("`where` needs the graph", cure="pass `twins`")
            found = self._twins.matching(selection.models or (), selection.where)
            chosen &= self.assets.flags(found)
        chosen &= ~self.flags(selection.excepted)
        return np.flatnonzero(chosen).astype(np.int32)

    def missing(self, selection: Selection) -> list[str]:
        """Ids that are named and not there."""
        asked = [*(selection.ids or ()), *selection.excepted.ids]
        there = {self.ids[int(at)] for at in np.flatnonzero(self.assets.flags(asked))}
        return [id_ for id_ in asked if id_ not in there]

    def flags(self, named: Named) -> Flags:
        """The positions of what is named."""
        return self.assets.flags(named.ids) | self._of_models(named.models)

    def _of_models(self, models: tuple[str, ...]) -> Flags:
        topology, wanted = self.assets.topology, set(models)
        codes = [code for code, model in enumerate(topology.models) if model in wanted]
        flags = np.zeros(len(self.ids), bool)
        flags[: len(topology.model)] = np.isin(topology.model, codes)
        return flags

    def _giving(self, services: tuple[str, ...]) -> Flags:
        flags = np.zeros(len(self.ids), bool)
        for name, rows in self.assets.compiled.services:
            if name in services:
                flags[rows] = True
        return flags

    # -- how it stands --------------------------------------------------------------------

    @cached_property
    def down(self) -> Flags:
        """What is down now, by whatever reason."""
        return self.assets.course.down

    @cached_property
    def lost(self) -> Flags:
        """What is down now, or will be if nothing more happens."""
        return self.assets.course.anyway(FOREVER)

    @cached_property
    def unknown(self) -> Flags:
        """What is not down, as far as anybody knows."""
        return self.assets.flags(self.assets.ids_in_state("unknown")) & ~self.down

    @cached_property
    def standing(self) -> Network:
        """The network in the end if nothing more happens."""
        return lasting(self.assets)

    def why_down(self, asset: int) -> str:
        """Why it is down, or will be."""
        id_ = self.ids[asset]
        if not self.down[asset]:
            at = self.assets.course.gone_at(asset)
            return f"it goes down in {spoken(at)} without any further failure"
        if id_ in self.assets.standing.out:
            return "it is down: in maintenance"
        reason = self.assets.reason(id_) if asset < self.assets.twins else None
        return f"it is down: {reason.message if reason else 'it failed itself'}"

    def why_unknown(self, asset: int) -> str:
        """Why its state is not known."""
        reason = self.assets.reason(self.ids[asset])
        return f"its state is unknown: {reason.message if reason else 'nobody can say'}"

    # -- single failures ------------------------------------------------------------------

    def parts_of(self, parts: Rows, wholes: Rows) -> Flags:
        """Row by row, whether the one is a component of the other, at whatever depth."""
        found = np.zeros(len(parts), bool)
        owner = self.owner[parts]
        while (owner >= 0).any():
            found |= owner == wholes
            owner = self.owner[owner]
        return found

    def points(self, assets: Rows, excepted: Named) -> tuple[Rows, Rows]:
        """Pairs of an asset and one of its single points of failure, in order of both; itself,
        its own components and what is excepted left out.
        """
        causes = self.standing.causes()
        size = causes.start[assets + 1] - causes.start[assets]
        of = np.repeat(assets, size)
        within = np.arange(len(of)) - np.repeat(np.cumsum(size) - size, size)
        cause = causes.asset[np.repeat(causes.start[assets], size) + within]
        kept = (cause < self.visible) & ~self.flags(excepted)[cause]
        of, cause = of[kept], cause[kept]
        own = self.parts_of(cause, of)
        return of[~own], cause[~own]

    def times(self, of: Rows, cause: Rows, horizon: float = FOREVER) -> Floats:
        """Of pairs: after how many seconds the failure of `cause` takes `of` down; FOREVER."""
        found = np.full(len(of), FOREVER)
        order = np.argsort(cause, kind="stable")
        starts = np.flatnonzero(np.diff(cause[order], prepend=-1))
        self._check_timed(len(starts))
        when = np.full(len(self.ids), FOREVER)
        for rows in np.split(order, starts[1:]) if len(order) else ():
            impact = self.after(int(cause[rows[0]]), horizon, keep=False).impact
            when[impact.asset] = impact.time
            found[rows] = when[of[rows]]
            when[impact.asset] = FOREVER
        return found

    def each(self, failed: Rows, horizon: float) -> Iterator[AssetImpact]:
        """The impacts of single failures, one by one."""
        self._check_timed(len(failed))
        for asset in failed.tolist():
            yield self.after(asset, horizon, keep=False)

    def after(self, failed: int, horizon: float = FOREVER, *, keep: bool = True) -> AssetImpact:
        """What the failure of one asset takes along."""
        key = (failed, horizon)
        found = self._impacts.get(key)
        if found is None:
            limit = None if horizon == FOREVER else horizon
            found = self.assets.impact([self.ids[failed]], limit)
            if keep:
                while len(self._impacts) >= MAX_IMPACTS:
                    self._impacts.pop(next(iter(self._impacts)))
                self._impacts[key] = found
        return found

    def path(self, failed: int, asset: int) -> Path | None:
        """How a failure comes to take an asset down."""
        row = self.after(failed).of(asset)
        return None if row is None else Path(row.path, row.at)

    def named(self, rows: Rows) -> str:
        """The first of these by id, in a sentence."""
        shown = [self.ids[int(row)] for row in rows[:MAX_NAMED]]
        more = f" and {len(rows) - len(shown)} more" if len(rows) > len(shown) else ""
        return f"{', '.join(shown)}{more}"

    def _check_timed(self, count: int) -> None:
        if self._timed + count > MAX_TIMED:
            raise Refused(
                f"{count:,} failures would have to be followed through time, of at most "
                f"{MAX_TIMED:,} in a file {MAX_TIMED - self._timed:,} are left",
                code="TOO_COSTLY",
                cure="select fewer assets, or leave out `within`",
            )
        self._timed += count


def spoken(seconds: float) -> str:
    """A duration as people say it: `5 h 36 min`, `30 s`, `2 d`."""
    left, parts = seconds, []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        count = int(left // size)
        if count:
            parts.append(f"{count} {unit}")
        left -= count * size
    if left or not parts:
        parts.append(f"{round(left, 3):g} s")
    return " ".join(parts[:2])


def several(count: int, noun: str) -> str:
    """`1 asset`, `2 assets`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
