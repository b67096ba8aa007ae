"""Evolution: a plant that goes on: assets fail and are repaired, feeds and connections come and go.

A question starts from a healthy plant and is over; an evolution keeps its state, and each change
costs what it changes. Semantics: `docs/cascade.md`, "As time goes on".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from twinfall.analytics import given, kernels
from twinfall.analytics.kernels import changing, falling, timers
from twinfall.analytics.kernels.upstream import close_circles
from twinfall.analytics.laying import are_connected, has_room, laid
from twinfall.analytics.links import MAX_CARRIERS
from twinfall.analytics.loosening import Loose, loosened, needs, spare_leads_elsewhere
from twinfall.analytics.moments import (
    Moment,
    backdate,
    beginning,
    begun,
    filled,
    lost_before,
    moment_of,
    put,
    put_off,
)
from twinfall.analytics.scratches import copied, scratch_of
from twinfall.analytics.votes import MOST, parts, rule_of
from twinfall.ontology.errors import BadInput

if TYPE_CHECKING:
    from twinfall.analytics.network import Network

Ints = NDArray[np.int32]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NOBODY = np.zeros(0, np.int32)
NO_FEED = (0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Moved:
    """What one change has moved, by position: who fell, in the order of falling, and who rose."""

    fell: Ints
    rose: Ints

    def __len__(self) -> int:
        return len(self.fell) + len(self.rose)


@dataclass(frozen=True, slots=True)
class Falls:
    """When assets fell (seconds; -inf: before the beginning), in which wave, by which group (-2 -
    carrier, -1: by themselves) and by whose loss (-1: nobody's).
    """

    asset: Ints
    wave: Ints
    time: Floats
    group: Ints
    cause: Ints


class Evolution:
    """The state of a network in time, from `now` (seconds) on; nothing has failed then.

    The network is shared and not changed. One thread at a time.
    """

    def __init__(self, network: Network, now: float = 0.0) -> None:
        self.now = given.instant(now, 0.0, "now")
        self.network = network
        self._loose = Loose(-1, -1, network.feeds.codes)
        self._arrays = network.arrays._replace(
            conducts=network.arrays.conducts.copy(),
            storage_autonomy=network.arrays.storage_autonomy.copy(),
        )
        scratch = scratch_of(self._arrays, grounding=True)
        # In one call everything can fall before a repair, rise with it, and fall again.
        self._scratch = scratch._replace(order=np.zeros(2 * network.n, np.int32))
        kernels.prepare(self._arrays, self._scratch, network.baseline)
        self._scratch.mark["time"][network.baseline] = -np.inf
        self._scratch.mark["by"][network.baseline] = -1
        self._scratch.mark["cause"][network.baseline] = -1
        self._scratch.tally["decided"] = -1
        self._state = beginning(network, self.now)
        self._one = np.zeros(1, np.int32)
        self._start()

    def _start(self) -> None:
        """What was lost before the beginning has been lost for ever: its buffers are empty."""
        state, network = self._state, self.network
        lost = lost_before(network)
        buffers = np.flatnonzero(state.timer["kind"] == timers.BUFFER)
        spent = buffers[lost[state.timer["at"][buffers]]]
        storages = np.flatnonzero(network.baseline[self._arrays.storage]) + state.first_storage
        for slots in (spent, storages):
            state.timer["level"][slots] = 0.0
            state.timer["mode"][slots] = timers.HOLDING
        state.count[falling.DIRTY] = (1 << network.links.carriers) - 1
        self._change(changing.PASS, NOBODY, None)

    # -- what happens ---------------------------------------------------------------------

    def advance(self, to: float) -> Moved:
        """Let time pass until then, what is due at that moment included."""
        self._change(changing.PASS, NOBODY, to)
        return self._moved()

    def fail(self, assets: int | Iterable[int], at: float | None = None) -> Moved:
        """Fail these by themselves, at a time not before `now`; what is due by then comes first,
        what is due in that moment with it. Failing what is down keeps it from rising.
        """
        self._change(changing.FAIL, self._positions(assets), at)
        return self._moved()

    def fail_late(self, assets: int | Iterable[int], since: float) -> None:
        """Fail these now, of which nobody knew: what runs because of it has run since then."""
        running = begun(self._state)
        fell = self.fail(assets).fell
        self._scratch.mark["time"][fell] = since
        late = self.now - since
        backdate(self._arrays, self._scratch, self._state, running, late, self.now)
        self.advance(self.now)

    def repair(self, assets: int | Iterable[int], at: float | None = None) -> Moved:
        """Let these be in order by themselves: they rise if they have what they need. A repair
        comes before what is due in the same moment.
        """
        self._change(changing.REPAIR, self._positions(assets), at)
        return self._moved()

    def stop(self, assets: int | Iterable[int], at: float | None = None) -> Moved:
        """Take these down without a failure of their own: they rise with whatever lets them."""
        positions = self._positions(assets)
        sound = positions[self._state.asset["own"][positions] == 0]
        self._change(changing.FAIL, sound, at)
        self._state.asset["own"][sound] = 0
        return self._moved()

    def start(self, assets: int | Iterable[int], at: float | None = None) -> Moved:
        """Start these as if they were black starters, this once: those that are held by what they
        start stay up.
        """
        positions, before, to = self._positions(assets), self._state.black, self._to(at)
        self._state = self._state._replace(black=np.union1d(before, positions).astype(np.int32))
        self._change(changing.REPAIR, NOBODY, to)
        self._state = self._state._replace(black=before)
        return self._moved()

    def switch(self, asset: int, on: bool, at: float | None = None) -> Moved:
        """Let a switch or valve conduct, or not."""
        one = self._positions(given.position(asset, self.network.n, "asset"))
        self._change(changing.ON if on else changing.OFF, one, at)
        return self._moved()

    def add_feed(
        self,
        provider: int,
        group: int,
        *,
        share: float | None = None,
        k: int | None = None,
        at: float | None = None,
    ) -> Moved:
        """Let an asset feed a group, felt at once when it is lost, as a normal feed.

        `share`: in a `capacity` group, the part of what the group needs that it brings; `k`: from
        now on, of an `atLeast` group. A group that was never evaluated for want of feeds needs its
        k. Raises BadInput. The first call makes room for changes: O(feeds).
        """
        feed = (given.position(provider, self.network.n, "provider"), self._group(group))
        weight, to = self._weight(feed[1], share, k), self._to(at)
        wanted = self._room().wanted(feed[1], weight, k)
        while (made := self._vote(changing.ATTACH, (*feed, weight), wanted.fail_at, to)) < 0:
            if made == changing.THERE_ALREADY:
                raise BadInput(f"{provider} feeds group {group} already", path="provider")
            if made == changing.CIRCLE:
                everybody = np.ones(self.network.n, np.uint8)  # who is in it is not known
                self._arrays = self._arrays._replace(circling=everybody, cyclic=True)
            else:
                self._more_room(feed)
        self._loose.take(feed[1], wanted)
        return self._moved()

    def remove_feed(self, provider: int, group: int, at: float | None = None) -> Moved:
        """Let an asset feed a group no more. A group without feeds asks for none. BadInput where
        there is no such feed.
        """
        feed = (given.position(provider, self.network.n, "provider"), self._group(group))
        loose, to = self._room(), self._to(at)
        edge = self._feed(*feed)
        wanted = loose.wanted(feed[1], -int(self._arrays.weight[edge]), None)
        self._vote(changing.DETACH, (edge, 0, 0), wanted.fail_at, to)
        loose.take(feed[1], wanted)
        return self._moved()

    def connect(
        self, one: int, other: int, carrier: int, *, oneway: bool = False, at: float | None = None
    ) -> Moved:
        """Connect two assets in a carrier, from the first to the second only if `oneway`. An asset
        without connections in it until then needs it from now on. BadInput where something connects
        the two already. The first call, and one for a new carrier, makes room: O(assets +
        connections); each looks at what the two hang on and costs a round of the carrier.
        """
        pair, to = self._pair(one, other, carrier), self._to(at)
        if one == other:
            raise BadInput(f"{one} is connected with itself", path="other", cure="another asset")
        if are_connected(self._arrays, *pair):
            message = f"{one} and {other} are connected in carrier {carrier} already"
            raise BadInput(message, path="other", cure="`disconnect` them first")
        self._lay(pair)
        spare_leads_elsewhere(self._arrays, self._loose, pair[:2])
        if close_circles(self._arrays, self._scratch, self._state, (*pair, int(oneway))):
            self._arrays = self._arrays._replace(cyclic=True)
        self._change(changing.CONNECT, NOBODY, to, (*pair, int(oneway), 0, 0))
        return self._moved()

    def disconnect(self, one: int, other: int, carrier: int, at: float | None = None) -> Moved:
        """Take away all that connects two assets in a carrier, whatever its direction. An asset
        without connections does not need the carrier any more. BadInput where there is none.
        Costs as `connect`.
        """
        pair, to = self._pair(one, other, carrier), self._to(at)
        if not are_connected(self._arrays, *pair):
            message = f"{one} and {other} are not connected in carrier {carrier}"
            raise BadInput(message, path="other")
        if not self._state.room.any():
            self._lay(pair)
        self._change(changing.DISCONNECT, NOBODY, to, (*pair, 0, 0, 0))
        return self._moved()

    # -- how it stands --------------------------------------------------------------------

    @property
    def down(self) -> Flags:
        """What is down now, by whatever reason; a copy."""
        flags: Flags = self._scratch.mark["wave"] != kernels.UP
        return flags

    def is_down(self, asset: int) -> bool:
        """Whether an asset is down."""
        at = given.position(asset, self.network.n, "asset")
        return bool(self._scratch.mark["wave"][at] != kernels.UP)

    def conducts(self, asset: int) -> bool:
        """Whether an asset passes its carriers on."""
        return bool(self._arrays.conducts[given.position(asset, self.network.n, "asset")])

    @property
    def next(self) -> float:
        """When the next buffer is empty or the next loss is felt; inf: never."""
        state = self._state
        return float(state.timer["due"][state.heap[0]]) if state.size[0] else np.inf

    def buffer(self, group: int) -> float:
        """For how many seconds a group could do without its feeds from now on."""
        at, slots = self._group(group), self._state.buffer_slot
        if not len(slots) or slots[at] < 0:
            return 0.0
        return float(timers.left(self._state.timer, int(slots[at]), self.now))

    def storage(self, i: int) -> float:
        """For how many seconds the i-th storage could run from now on."""
        at = given.position(i, len(self._arrays.storage), "storage")
        return float(timers.left(self._state.timer, self._state.first_storage + at, self.now))

    def falls(self, assets: Ints) -> Falls:
        """Of assets that are down."""
        mark = self._scratch.mark[assets]
        return Falls(assets, mark["wave"], mark["time"], mark["by"], mark["cause"])

    def fork(self, into: Evolution | None = None) -> Evolution:
        """The same state once more: what happens to one does not happen to the other. `into` is a
        fork that is not needed any more, which saves time.
        """
        made = object.__new__(Evolution) if into is None else into
        made.network, made.now = self.network, self.now
        made._one = self._one.copy()
        shared = set(map(id, self.network.arrays))
        made._arrays = copied(self._arrays, getattr(made, "_arrays", None), shared)
        made._scratch = copied(self._scratch, getattr(made, "_scratch", None), ())
        made._state = copied(self._state, getattr(made, "_state", None), ())
        made._loose = self._loose.copy()
        return made

    # -- going on from elsewhere ----------------------------------------------------------

    def moment(self) -> Moment:
        """How it stands, without who is to blame: all that another one needs to go on from here."""
        return moment_of(self.now, self._arrays, self._scratch, self._state)

    @classmethod
    def resumed(cls, network: Network, moment: Moment) -> Evolution:
        """One that goes on from a moment of the same network, or of one that is equal to it."""
        made = cls(network, moment.now)
        put(moment, made._arrays, made._scratch, made._state)
        return made

    def carry(self, before: Moment) -> None:
        """Take over a moment of another network, given in positions of this one, at its beginning:
        who is down stays so unless it can run, and since when; buffers hold what they held.
        """
        filled(before, self._state)
        for asset in np.flatnonzero(before.conducts != self._arrays.conducts).tolist():
            self.switch(asset, bool(before.conducts[asset]))
        self.fail(before.down)
        self._scratch.mark["time"][before.down] = before.since
        put_off(before, self._arrays, self._state, self.network.visible)
        self.advance(self.now)
        self.repair(np.setdiff1d(before.down, before.own))

    # -- inside ---------------------------------------------------------------------------

    def _change(self, what: int, assets: Ints, at: float | None, feed: Any = NO_FEED) -> int:
        now = self._to(at)
        made = int(
            changing.change(self._arrays, self._scratch, self._state, what, assets, feed, now)
        )
        if what != changing.ATTACH or made >= 0:
            self.now = now
        return made

    def _vote(self, what: int, feed: tuple[int, int, int], wanted: int, at: float) -> int:
        spare = (self._loose.nobody, self._loose.nothing)
        return self._change(what, NOBODY, at, (*feed, *spare, wanted))

    def _to(self, at: float | None) -> float:
        return self.now if at is None else given.instant(at, self.now, "at")

    def _positions(self, assets: int | Iterable[int]) -> Ints:
        """Ascending, each once."""
        if isinstance(assets, int | np.integer):
            self._one[0] = given.position(assets, self.network.n, "assets")
            return self._one
        return given.chosen(assets, self.network.n)

    def _moved(self) -> Moved:
        count = self._state.count
        fell, rose = count[falling.FALLEN], count[falling.ROSE]
        return Moved(
            self._scratch.order[:fell].copy() if fell else NOBODY,
            self._state.rose[:rose].copy() if rose else NOBODY,
        )

    def _group(self, group: int) -> int:
        return given.position(group, self.network.feeds.count, "group")

    def _weight(self, group: int, share: float | None, k: int | None) -> int:
        """Of a new feed."""
        code = rule_of(self.network.feeds.codes, group)
        if (share is None) == (code == "capacity"):
            raise BadInput(
                f"a share belongs to `capacity`, and the group is `{code}`", path="share"
            )
        if k is not None and (code != "atLeast" or given.position(k, MOST, "k") < 1):
            raise BadInput("k, from 1 on, belongs to an `atLeast` group", path="k")
        if share is None:
            return 1
        start = self.network.arrays.in_start
        units = int(parts(start[group + 1] - start[group]))
        return round(min(given.instant(share, 0.0, "share"), 1.0) * units)

    def _feed(self, provider: int, group: int) -> int:
        start = self._arrays.out_start
        begin, end = int(start[provider]), int(start[provider + 1])
        (found,) = (self._arrays.group[begin:end] == group).nonzero()
        if not len(found):
            raise BadInput(f"{provider} does not feed group {group}", path="provider")
        return begin + int(found[0])

    def _pair(self, one: int, other: int, carrier: int) -> tuple[int, int, int]:
        n = self.network.n
        ends = given.position(one, n, "one"), given.position(other, n, "other")
        return *ends, given.position(carrier, MAX_CARRIERS, "carrier")

    def _lay(self, pair: tuple[int, int, int]) -> None:
        """Make room for a connection, unless there is."""
        if not has_room(self._arrays, self._state, pair):
            made = laid(self._arrays, self._scratch, self._state, pair)
            self._arrays, self._scratch, self._state = made

    def _room(self) -> Loose:
        if self._loose.nobody < 0:
            self._loose.total, self._loose.need = needs(self.network.feeds)
            self._more_room(None)
        return self._loose

    def _more_room(self, crowded: tuple[int, int] | None) -> None:
        made = loosened(self._arrays, self._scratch, self._state, self._loose, crowded)
        self._arrays, self._scratch, self._state, self._loose = made
