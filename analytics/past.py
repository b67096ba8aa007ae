"""What the live plant has been through, as far as it remembers: loops that broke, buffers spent.

A question follows what has failed from a healthy plant on, and so would start again what only ran
because it was running, and fill every battery. An evolution that has seen everything does not. When
the graph becomes another one, or the process ends, its memory goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from twinfall.analytics.assets import AssetNetwork
from twinfall.analytics.evolution import Evolution
from twinfall.analytics.going import GoingOn, is_at_rest
from twinfall.analytics.limits import NANO, NEVER
from twinfall.analytics.memory import Memory, fingerprint, memory_of, resumed
from twinfall.analytics.network import Network
from twinfall.analytics.states import Standing

REACH = 1e9
"""Seconds: what has failed for longer failed that long ago, for more digits in what follows."""
OLDEST = 1e10
"""Seconds ago: before there was any time that is counted here."""


class Past:
    """Follows one plant through its states, in order of `now`; at first from what was remembered.

    One thread at a time.
    """

    def __init__(self, remembered: Memory | None = None) -> None:
        self._remembered = remembered
        """Of an earlier process; None once it is taken."""
        self.turns = 0
        """Grows with everything that may have changed the memory."""
        self._forgotten = set[str]()
        self._plain: AssetNetwork | None = None
        self._mark = ""
        self._evolution: Evolution | None = None
        self._origin = 0
        self._own: dict[str, int] = {}
        self._running: frozenset[str] = frozenset()

    @property
    def until(self) -> int:
        """When time alone changes what is down, in ns; NEVER."""
        due = np.inf if self._evolution is None else self._evolution.next
        return NEVER if due == np.inf else self._origin + int(due * NANO) + 1

    def under(self, plain: AssetNetwork, standing: Standing, now: int) -> AssetNetwork:
        """The plant in these states, with what has stopped and does not run by itself again."""
        nothing_yet = self._evolution is None and self._remembered is None
        well = not (standing.failed or standing.out or standing.conducts or standing.running)
        self.turns += 1
        if not remembers(plain.network) or (nothing_yet and well):
            self._plain, self._evolution, self._remembered = None, None, None
            self._forgotten.clear()
            return plain.under(standing, now)
        evolution = self._follow(plain, standing, now)
        if standing.since != self._own:  # readings may say less of it than is remembered
            standing = replace(standing, since=self._own)
        return going_on(plain, standing, now, evolution)

    def forget(self, twins: Iterable[str]) -> None:
        """These are gone; who comes under their ids is another one."""
        self._forgotten.update(twins)
        self.turns += 1

    def memory(self) -> Memory | None:
        """What would be lost with this process; None where nothing has happened."""
        return self.told()()

    def told(self) -> Callable[[], Memory | None]:
        """The memory of now, to be put in words later and by any thread, which takes longer.
        O(assets).
        """
        remembered, gone, plain = self._remembered, frozenset(self._forgotten), self._plain
        if plain is None or self._evolution is None:
            return lambda: remembered.without(gone) if remembered and gone else remembered
        moment, stood = self._evolution.moment(), (self._mark, self._origin, self._own)
        running = self._running

        def memory() -> Memory:
            found = memory_of(plain, moment, *stood, running)
            return found.without(gone) if gone else found

        return memory

    def _follow(self, plain: AssetNetwork, standing: Standing, now: int) -> Evolution:
        own = {id_: standing.since.get(id_, 0) for id_ in (*standing.failed, *standing.out)}
        evolution = self._evolution
        same = self._plain is not None and plain.network is self._plain.network
        if evolution is None or not same or self._forgotten:
            evolution = self._begin(plain, standing, min([now, *own.values()]), now)
        clock = max((now - self._origin) / NANO, evolution.now)
        own = {id_: self._own.get(id_, since) for id_, since in own.items()}
        fresh = sorted((since, id_) for id_, since in own.items() if id_ not in self._own)
        for since, id_ in fresh:
            at = min((since - self._origin) / NANO, clock)
            if at >= evolution.now:
                evolution.fail(plain.some_positions([id_]), at)
            else:
                evolution.fail_late(plain.some_positions([id_]), at)
        evolution.advance(clock)
        # To repair nobody is to try black starters anew.
        if len(back := plain.some_positions(self._own.keys() - own.keys())):
            evolution.repair(back)
        _switch(plain, standing, evolution)
        started = frozenset(standing.running)
        if len(begun := plain.some_positions(started - self._running)):
            evolution.start(begun)
        self._own, self._running = own, started
        return evolution

    def _begin(self, plain: AssetNetwork, standing: Standing, first: int, now: int) -> Evolution:
        """Go on from what is remembered, or at `first` from a healthy plant."""
        memory, mark = self.memory(), fingerprint(plain)
        if memory is None:
            self._own, self._origin = {}, first
            evolution = Evolution(plain.network)
            _switch(plain, standing, evolution)  # nobody has seen them stand otherwise
        else:
            self._own, self._running = dict(memory.own), memory.running
            self._origin = memory.origin
            if self._remembered is not None:  # a clock that was ahead does not hold up the plant
                self._origin = min(memory.origin, now - int(memory.now * NANO))
            evolution = resumed(plain, memory, mark)
        self._plain, self._mark, self._evolution, self._remembered = plain, mark, evolution, None
        self._forgotten.clear()
        return evolution


def going_on(
    assets: AssetNetwork, standing: Standing, now: int, evolution: Evolution
) -> AssetNetwork:
    """A plant in these states with what it has been through by `now`, when the evolution stands so;
    that may go on afterwards. What is down though nothing that stands explains it has stopped.
    """
    under, down = assets.under(standing, now), evolution.down
    # Gates, which have no id, follow what they stand for.
    known, visible = under.course.down, assets.visible
    gone = np.flatnonzero((down & ~known)[:visible]).astype(np.int32)
    if len(gone):
        ago = evolution.now - evolution.falls(gone).time
        stopped = {
            assets.ids[at]: max(0, now - round(min(one, OLDEST) * NANO))
            for at, one in zip(gone.tolist(), ago.tolist(), strict=True)
        }
        standing = replace(standing, stopped=stopped)
        under = assets.under(standing, now)
    moment = evolution.moment()
    if is_at_rest(moment, evolution.network) and not (known & ~down)[:visible].any():
        return assets.under(standing, now, moment, at_rest=True)
    return assets.under(standing, now, moment)


def plant_now(assets: AssetNetwork) -> Evolution:
    """A plant as it stands now, to do with as one likes; by a clock of its own. O(assets)."""
    course = assets.course
    if isinstance(course, GoingOn):
        return course.plant.fork()
    if assets.moment is not None:
        return Evolution.resumed(assets.declared, assets.moment)
    since = np.maximum(course.at - course.now, -REACH)
    begin = -float(min([0.0, *since.tolist()]))
    evolution = Evolution(assets.network)
    stopped = set(assets.some_positions(assets.standing.stopped).tolist())
    for ago, asset in sorted(zip(since.tolist(), course.failed.tolist(), strict=True)):
        act = evolution.stop if asset in stopped else evolution.fail
        act(asset, begin + ago)
    evolution.advance(begin)
    return evolution


def otherwise(
    assets: AssetNetwork, today: AssetNetwork, standing: Standing, repaired: Iterable[str] = ()
) -> AssetNetwork:
    """A plant in other states than today's, or today's built otherwise: buffers hold what they hold
    today, and what has stopped runs only if it can, or is `repaired`.
    """
    if not remembers(today.network) and not remembers(assets.network):
        return assets.under(standing, today.now)
    evolution = plant_now(today)
    if not assets.compiled_from(today):
        own = dict.fromkeys((*today.standing.failed, *today.standing.out), 0)
        evolution = resumed(assets, memory_of(today, evolution.moment(), "", 0, own), "another")
    own_now = {*standing.failed, *standing.out}
    back = {one for one in (*today.standing.failed, *today.standing.out) if one not in own_now}
    evolution.fail(assets.some_positions(own_now))
    if len(mended := assets.some_positions(back)):
        evolution.repair(mended)
    _switch(assets, standing, evolution)
    begun = assets.some_positions(today.standing.stopped.keys() & set(repaired))
    if len(begun):
        evolution.start(begun)
    return going_on(assets, replace(standing, stopped={}), today.now, evolution)


def _switch(assets: AssetNetwork, standing: Standing, evolution: Evolution) -> None:
    for id_, on in standing.conducts.items():
        for at in assets.some_positions([id_]).tolist():
            if evolution.conducts(at) != on:
                evolution.switch(at, on)


def remembers(network: Network) -> bool:
    """Whether what a plant has been through matters to it later: it has loops that sustain
    themselves, buffers, or losses that are on their way for a while.
    """
    feeds = network.feeds
    stored = len(network.links.storages.asset) > 0 or bool(feeds.autonomy.any())
    return stored or bool(feeds.sustain.any()) or bool(feeds.transfer.any())
